import { FrameDecoder } from "./frame-decoder.ts";
import type { ControlFrame, DataHead, Side } from "./wire.ts";

/** Who takes what is read. The calls come in the order of the stream. */
export interface MessageHandler {
  control(frame: ControlFrame): void;
  /** Memory for the payload of a message that begins, of just its length; undefined: it is read past. */
  place(head: DataHead): Uint8Array | undefined;
  /** A message is complete, in the memory that it was given. */
  message(head: DataHead, payload: Uint8Array): void;
  /** A message without memory has gone by. */
  skipped(head: DataHead): void;
}

/** Heads, small messages, and the first bytes of a large one are read here, and copied. */
const SCRATCH_BYTES = 16 * 1024;

/** Reads one side's stream, the payloads of messages straight from the system into memory of their own. */
export class MessageReader {
  readonly #handler: MessageHandler;
  readonly #decoder: FrameDecoder;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #head: DataHead | undefined;
  #payload: Uint8Array | undefined;
  #filled = 0;

  /** `peer` is the side that sends what is read. */
  constructor(peer: Side, handler: MessageHandler) {
    this.#handler = handler;
    this.#decoder = new FrameDecoder(peer, {
      control: (frame) => handler.control(frame),
      begin: (head) => this.#begin(head),
      payload: (bytes) => this.#copy(bytes),
      end: () => this.#end(),
    });
  }

  /** Where the next bytes go: the rest of a payload to its own memory, all else to the scratch. */
  target(): Uint8Array {
    const payload = this.#payload;
    return payload !== undefined && this.#filled < payload.length ? payload.subarray(this.#filled) : this.#scratch;
  }

  /** So many bytes were put at the beginning of what `target` gave. @throws FanfoldError `damaged` */
  read(bytes: number, target: Uint8Array): void {
    if (this.#payload === undefined || target.buffer !== this.#payload.buffer) {
      this.#decoder.push(target.subarray(0, bytes));
      return;
    }
    this.#filled += bytes;
    this.#decoder.advance(bytes);
  }

  /** Takes bytes that came another way. @throws FanfoldError `damaged` */
  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  #begin(head: DataHead): void {
    this.#head = head;
    this.#filled = 0;
    // The decoder has checked the length.
    this.#payload = this.#handler.place(head);
  }

  #copy(bytes: Uint8Array): void {
    this.#payload?.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
  }

  #end(): void {
    const [head, payload] = [this.#head, this.#payload];
    this.#head = undefined;
    this.#payload = undefined;
    if (head === undefined) return;
    if (payload === undefined) this.#handler.skipped(head);
    else this.#handler.message(head, payload);
  }
}
