import { FanfoldError } from "../lib/errors.ts";
import { escapeText } from "../lib/escape-name.ts";
import { decodeFrame, type Frame, type FrameScope, STREAM_DATA } from "../protocol/frame.ts";

/** What to do with a payload that came on the session's data. */
export type Received =
  | { readonly type: "next" }
  /** A repeat, or left over from a lower epoch: to be dropped. */
  | { readonly type: "stale" }
  /** A frame or heartbeat shows that frames from `from` to below `to` did not come. */
  | { readonly type: "hole"; readonly from: number; readonly to: number };

/** The stream sequence at a sink: which frame is the next one [P-3.4]. Pure. */
export class Receiver {
  readonly #scope: FrameScope;
  #next = 0;

  constructor(scope: FrameScope) {
    this.#scope = scope;
  }

  /** Every frame below this has arrived. */
  get receivedUpTo(): number {
    return this.#next;
  }

  /** @throws FanfoldError `damaged` or `protocol-version` */
  take(payload: Uint8Array): Received {
    const frame = decodeFrame(payload);
    if (frame.epoch < this.#scope.epoch && frame.sessionId === this.#scope.sessionId) return { type: "stale" };
    this.#check(frame);
    if (frame.sequence > this.#next) return { type: "hole", from: this.#next, to: frame.sequence };
    if (frame.type === "heartbeat" || frame.sequence < this.#next) return { type: "stale" };
    this.#next += 1;
    return { type: "next" };
  }

  /** The subject is this session's alone: what else is on it means that something is wrong with the broker or a peer. */
  #check(frame: Frame): void {
    const { sessionId, epoch } = this.#scope;
    if (frame.sessionId === sessionId && frame.epoch === epoch && frame.stream === STREAM_DATA) return;
    throw new FanfoldError(
      "damaged",
      `Receive the stream of session "${sessionId}": frame ${frame.sequence} is of session "${escapeText(frame.sessionId)}", epoch ${frame.epoch}, expected epoch ${epoch}`,
    );
  }
}

/** The failure a hole means while there is no repair [P-9]. */
export function holeError(hole: Extract<Received, { type: "hole" }>): FanfoldError {
  return new FanfoldError("frames-lost", `Receive the stream: frames ${hole.from} to ${hole.to - 1} did not arrive`);
}
