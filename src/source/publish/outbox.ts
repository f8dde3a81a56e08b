import { FanfoldError } from "../../lib/errors.ts";
import type { Throttle } from "../../member/limit/throttle.ts";
import { type FrameSealer, finishFrame } from "../../protocol/frame/frame.ts";
import type { Transport } from "../../transport/transport.ts";

/** A frame on its way out. */
interface Outgoing {
  readonly frame: Buffer;
  /** Called with its sequence, and as it is sent, just before it is published. */
  readonly onSequence?: (sequence: number, sent: Buffer) => void;
}

/** A frame that was published before, and has its sequence. */
interface Repair {
  readonly subject: string;
  /** Called when its turn has come, so that a waiting frame takes no memory. Undefined when nobody needs it any more. */
  readonly take: () => Buffer | undefined;
}

interface OutboxOptions {
  readonly transport: Transport;
  readonly subject: string;
  /** Seals the frames of this stream, each as its turn comes. @default they go in the open */
  readonly sealer?: FrameSealer | undefined;
  readonly signal: AbortSignal;
  readonly onFailure: (error: FanfoldError) => void;
  /** Holds frames to a rate; nothing is waited for without it. */
  readonly throttle?: Throttle | undefined;
}

/**
 * The only place that numbers and publishes the session's frames, one after another [P-3.4]. Control (pages, marks)
 * goes before data that waits; the order within each is kept. Its length is bounded by what is put in: pages by the
 * unanswered pages, data and trailers by the window.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #control: (Outgoing | Repair)[] = [];
  readonly #data: Outgoing[] = [];
  #nextSequence = 0;
  #running = false;
  /** The next frame waits for the rate that is allowed. */
  #held = false;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Sequence of the next frame: every frame below it was published. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** @throws FanfoldError `damaged` when a sink says that it has frames up to here, and there are fewer */
  checkExists(upTo: number): void {
    if (upTo <= this.#nextSequence) return;
    throw new FanfoldError(
      "damaged",
      `cannot read a report: it says that frame ${upTo} is stored, but only ${this.#nextSequence} frames exist`,
    );
  }

  /** Nothing is being published, nor about to be. */
  get isIdle(): boolean {
    return !this.#running || this.#held;
  }

  control(outgoing: Outgoing): void {
    this.#control.push(outgoing);
    this.#start();
  }

  repair(repair: Repair): void {
    this.#control.push(repair);
    this.#start();
  }

  /** Frames wait to be sent again. */
  get repairsWait(): boolean {
    return this.#control.some((outgoing) => "take" in outgoing);
  }

  data(outgoing: Outgoing): void {
    this.#data.push(outgoing);
    this.#start();
  }

  /** Publishes nothing more, but for heartbeats; what waits is dropped. */
  stop(): void {
    this.#stopped = true;
    this.#control.length = 0;
    this.#data.length = 0;
  }

  /** Publishes a frame that is not part of the stream: it carries the next sequence and does not use it up. */
  async heartbeat(frame: Buffer): Promise<void> {
    const { transport, subject, sealer, throttle, signal } = this.#options;
    const sent = finishFrame(frame, this.#nextSequence, sealer);
    throttle?.spend(sent.length);
    await transport.publish(subject, sent, { signal });
  }

  #start(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#run().catch((thrown: unknown) => {
      if (!this.#stopped) this.#options.onFailure(FanfoldError.from(thrown));
    });
  }

  async #run(): Promise<void> {
    const { transport, subject, throttle, signal } = this.#options;
    for (;;) {
      // Before a frame is chosen, so that control still goes before data that waits.
      if (throttle?.isHolding === true) await this.#hold(throttle);
      const next = this.#take();
      if (next === undefined) break;
      const frame = "take" in next ? next.take() : this.#number(next);
      if (frame === undefined) continue;
      throttle?.spend(frame.length);
      await transport.publish("take" in next ? next.subject : subject, frame, { signal });
    }
    this.#running = false;
  }

  #number({ frame, onSequence }: Outgoing): Buffer {
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    const sent = finishFrame(frame, sequence, this.#options.sealer);
    onSequence?.(sequence, sent);
    return sent;
  }

  async #hold(throttle: Throttle): Promise<void> {
    this.#held = true;
    await throttle.ready(this.#options.signal);
    this.#held = false;
  }

  #take(): Outgoing | Repair | undefined {
    return this.#stopped ? undefined : (this.#control.shift() ?? this.#data.shift());
  }
}
