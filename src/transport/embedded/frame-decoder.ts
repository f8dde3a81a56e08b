import { FanfoldError } from "../../lib/errors.ts";
import { isPattern, isSubject } from "../subject-rules.ts";
import {
  type ControlFrame,
  type DataHead,
  decodeControl,
  HEAD_BYTES,
  OP_RULES,
  type Op,
  REFUSAL_TEXT_BYTES_MAX,
  type Side,
} from "./wire.ts";

/** Who takes what was decoded; the calls come in the order of the stream. */
interface FrameHandler {
  control(frame: ControlFrame): void;
  /** A message begins; `payload` and `end` follow before anything else does. */
  begin(head: DataHead): void;
  /** The next bytes of the payload: a view into what was pushed. */
  payload(bytes: Uint8Array): void;
  end(): void;
}

const OPS_BY_CODE: ReadonlyMap<number, Op> = new Map(
  (Object.keys(OP_RULES) as Op[]).map((op) => [OP_RULES[op].code, op]),
);

/** What the decoder collects next. */
type State = "head" | "subject" | "control" | "message";

interface Head {
  readonly op: Op;
  readonly id: number;
  readonly subjectBytes: number;
  readonly payloadBytes: number;
}

const NO_HEAD: Head = { op: "ping", id: 0, subjectBytes: 0, payloadBytes: 0 };

/**
 * Decodes a stream in any chunking, and holds no more than one head, subject or payload of a control frame.
 *
 *   head -> subject? -> message or control payload -> head ...
 *
 * Anything outside the grammar [P-2.4] is thrown as `damaged`, and the decoder takes nothing more: the connection is over.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler;
  readonly #peer: Side;
  readonly #small = Buffer.alloc(REFUSAL_TEXT_BYTES_MAX);
  #state: State = "head";
  #have = 0;
  #wanted = HEAD_BYTES;
  #head: Head = NO_HEAD;
  #subject = "";
  #payloadLeft = 0;
  #damage: FanfoldError | undefined;

  /** `peer` is the side that sends what is decoded. */
  constructor(peer: Side, handler: FrameHandler) {
    this.#peer = peer;
    this.#handler = handler;
  }

  /** Bytes of the current message's payload that have not come yet; 0 outside of one. */
  get payloadLeft(): number {
    return this.#payloadLeft;
  }

  /** @throws FanfoldError `damaged` */
  push(chunk: Uint8Array): void {
    if (this.#damage !== undefined) throw this.#damage;
    let offset = 0;
    while (offset < chunk.byteLength) {
      offset = this.#state === "message" ? this.#takePayload(chunk, offset) : this.#takeSmall(chunk, offset);
    }
  }

  /** Counts payload bytes that the reader has put in their place itself. */
  advance(bytes: number): void {
    this.#payloadLeft -= bytes;
    if (this.#payloadLeft > 0) return;
    this.#collect("head", HEAD_BYTES);
    this.#handler.end();
  }

  #takePayload(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.byteLength, offset + this.#payloadLeft);
    this.#handler.payload(chunk.subarray(offset, end));
    this.advance(end - offset);
    return end;
  }

  #takeSmall(chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.byteLength, offset + this.#wanted - this.#have);
    this.#small.set(chunk.subarray(offset, end), this.#have);
    this.#have += end - offset;
    if (this.#have === this.#wanted) this.#next();
    return end;
  }

  #collect(state: State, bytes: number): void {
    this.#state = state;
    this.#wanted = bytes;
    this.#have = 0;
  }

  #next(): void {
    if (this.#state === "head") {
      this.#head = this.#readHead();
      if (this.#head.subjectBytes > 0) this.#collect("subject", this.#head.subjectBytes);
      else this.#begin("");
    } else if (this.#state === "subject") {
      this.#begin(this.#small.toString("latin1", 0, this.#wanted));
    } else {
      this.#control(this.#small.subarray(0, this.#wanted));
    }
  }

  /** Checks everything a head can be wrong in, before a byte of memory is spent on what it announces. */
  #readHead(): Head {
    const code = this.#small.readUInt8(0);
    const op = OPS_BY_CODE.get(code);
    const head = {
      op: op ?? "ping",
      id: this.#small.readUInt16BE(2),
      subjectBytes: this.#small.readUInt8(1),
      payloadBytes: this.#small.readUInt32BE(4),
    };
    if (op === undefined) throw this.#damaged(`found a frame of kind ${code}; want 1 to ${OPS_BY_CODE.size}`);
    const rule = OP_RULES[op];
    if (rule.sentBy !== this.#peer) throw this.#damaged(`found "${op}", which only the ${rule.sentBy} may send`);
    const { min, max } = rule.payloadBytes;
    if (head.payloadBytes < min || head.payloadBytes > max) {
      throw this.#damaged(`found "${op}" with a payload of ${head.payloadBytes} bytes; want ${min} to ${max}`);
    }
    if ((rule.subject === "none") !== (head.subjectBytes === 0)) {
      throw this.#damaged(`found "${op}" with a subject of ${head.subjectBytes} bytes`);
    }
    return head;
  }

  #begin(subject: string): void {
    const { op, id, payloadBytes } = this.#head;
    const { subject: wanted } = OP_RULES[op];
    if (wanted === "subject" && !isSubject(subject)) throw this.#damaged(`found "${op}" without a valid subject`);
    if (wanted === "pattern" && !isPattern(subject)) throw this.#damaged(`found "${op}" without a valid subject`);
    this.#subject = subject;
    if (op === "pub" || op === "msg") {
      this.#payloadLeft = payloadBytes;
      this.#state = "message";
      this.#handler.begin({ op, id, subject, payloadBytes });
      if (payloadBytes === 0) this.advance(0);
    } else if (payloadBytes > 0) {
      this.#collect("control", payloadBytes);
    } else {
      this.#control(this.#small.subarray(0, 0));
    }
  }

  #control(payload: Buffer): void {
    const { op, id, payloadBytes } = this.#head;
    if (op === "pub" || op === "msg") throw this.#damaged(`found "${op}" where a control frame is due`);
    this.#collect("head", HEAD_BYTES);
    this.#handler.control(decodeControl(op, { id, subject: this.#subject, payloadBytes }, payload));
  }

  #damaged(what: string): FanfoldError {
    this.#damage = new FanfoldError("damaged", `cannot decode the stream of the ${this.#peer}: ${what}`);
    return this.#damage;
  }
}
