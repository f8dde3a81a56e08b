import type { TransportCapabilities } from "../../transport/transport.ts";
import { frameCapacity, keptCost } from "../read/frame-builder.ts";
import { CreditWindow, type OutstandingFrame } from "./credit-window.ts";
import type { PublisherLoad } from "./publisher-options.ts";

/** One frame between being published and being stored by all. */
export interface SentFrame extends OutstandingFrame {
  /** Done once it is stored: bytes as the pages announced them, and files. */
  readonly doneBytes: number;
  readonly doneFiles: number;
  /** As it was published, for repairs. */
  readonly frame: Buffer;
  readonly contentBytes: number;
  /** What of the content compression kept off the wire. */
  readonly savedBytes: number;
  /** Of its files, what every sink has by their recipes. */
  readonly keptBytes: number;
}

/** Of what is no data frame: it is kept for repairs. */
export const NO_CONTENT = { contentBytes: 0, savedBytes: 0, keptBytes: 0 } as const;

/** What the reader may build next, and buffers to build it in. */
interface CreditGrant {
  readonly bytes: number;
  readonly buffers: readonly ArrayBufferLike[];
}

interface CreditFlowOptions {
  readonly sinkIds: readonly string[];
  readonly capabilities: TransportCapabilities;
  readonly startMs: number;
  /** What the window never grows beyond; that of a lane is small. */
  readonly windowBytesMax?: number | undefined;
}

/** Time over which the rate of the slowest sink is measured. */
const RATE_MS = 2_000;
/** What is on its way to a sink that is held to a rate is what it takes in this time. */
const LIMITED_MS = 1_000;

/**
 * The way of credit [P-11]: it is granted to the reader, is in the frames it built, then in frames on the wire. It comes
 * back when the slowest live sink has stored them. The sum of the three never exceeds the window by more than one frame.
 * Pure.
 */
export class CreditFlow {
  readonly #window: CreditWindow<SentFrame>;
  readonly #capabilities: TransportCapabilities;
  #bufferBytes: number;
  #readerBytes = 0;
  #queuedBytes = 0;
  #spare: ArrayBufferLike[] = [];
  #releasedBytes = 0;
  #storedBytes = 0;
  #ratedMs: number;

  constructor(options: CreditFlowOptions) {
    this.#window = new CreditWindow(options.sinkIds, options.windowBytesMax);
    this.#capabilities = options.capabilities;
    this.#bufferBytes = frameCapacity(options.capabilities.preferredPayloadBytes);
    this.#ratedMs = options.startMs;
  }

  /** What the window has free, `allowedBytes` at most, in portions that are worth a message; undefined when it is not worth one yet. */
  grant(allowedBytes = Number.POSITIVE_INFINITY): CreditGrant | undefined {
    const { windowBytes, outstandingBytes } = this.#window;
    const room = windowBytes - outstandingBytes - this.#queuedBytes - Math.max(0, this.#readerBytes);
    const free = Math.min(room, allowedBytes - Math.max(0, this.#readerBytes));
    if (free <= 0 || (free < windowBytes / 8 && this.#readerBytes > 0)) return undefined;
    this.#readerBytes += free;
    const buffers = this.#spare;
    this.#spare = [];
    return { bytes: free, buffers };
  }

  /** The reader builds frames of this size from now on. */
  pace(frameBytes: number): void {
    this.#bufferBytes = frameCapacity(frameBytes);
  }

  /** The lowest rate to which a sink is held, in bytes a second; null: none is. */
  limit(bytesPerSecond: number | null): void {
    this.#window.limit(bytesPerSecond === null ? null : (bytesPerSecond * LIMITED_MS) / 1000);
  }

  /** `queuedBytes`: of frames that are built and not yet published. */
  get load(): Pick<PublisherLoad, "queuedBytes" | "windowBytes" | "storedBytes" | "waitingBytes"> {
    const { windowBytes, outstandingBytes } = this.#window;
    const [queuedBytes, storedBytes] = [this.#queuedBytes, this.#storedBytes];
    return { queuedBytes, windowBytes, storedBytes, waitingBytes: queuedBytes + outstandingBytes };
  }

  get windowBytes(): number {
    return this.#window.windowBytes;
  }

  /** Of what was published, what this sink has not stored. */
  outstandingOf(sinkId: string): number {
    return this.#window.outstandingOf(sinkId);
  }

  /** The reader used credit for a frame. */
  built(costBytes: number): void {
    this.#readerBytes -= costBytes;
    this.#queuedBytes += costBytes;
  }

  published(frame: SentFrame): void {
    this.#queuedBytes -= frame.costBytes;
    this.#window.published(frame);
  }

  /** The oldest frame that is kept for repairs; the next one to be published when there is none. */
  keptFrom(nextSequence: number): number {
    return this.#window.storedUpTo(nextSequence);
  }

  find(sequence: number): SentFrame | undefined {
    return this.#window.find(sequence);
  }

  /** Returns the frames that all sinks have stored now. */
  stored(sinkId: string, upTo: number): readonly SentFrame[] {
    return this.#released(this.#window.stored(sinkId, upTo));
  }

  drop(sinkId: string): readonly SentFrame[] {
    return this.#released(this.#window.drop(sinkId));
  }

  /** Where the broker cuts sinks that stall, the window follows what the slowest one really stores (D6). */
  tick(nowMs: number): void {
    const { stallCutMs } = this.#capabilities;
    const sinceMs = nowMs - this.#ratedMs;
    if (stallCutMs === undefined || sinceMs < RATE_MS || this.#releasedBytes === 0) return;
    this.#window.cap(((this.#releasedBytes / sinceMs) * stallCutMs) / 2);
    this.#releasedBytes = 0;
    this.#ratedMs = nowMs;
  }

  #released(frames: readonly SentFrame[]): readonly SentFrame[] {
    for (const { costBytes, savedBytes, keptBytes, frame } of frames) {
      // Of the wire: that is what the broker holds for a sink, and never more than what the window counts.
      const inFrame = costBytes - keptCost(keptBytes);
      this.#storedBytes += inFrame;
      this.#releasedBytes += Math.max(0, inFrame - savedBytes);
      // What the reader built in, which is shared, is used again; all other frames have buffers of their own sizes.
      const { buffer } = frame;
      if (buffer instanceof SharedArrayBuffer && buffer.byteLength === this.#bufferBytes) this.#spare.push(buffer);
    }
    return frames;
  }
}
