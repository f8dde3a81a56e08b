import type { HeldBack, Pace } from "../../protocol/messages/held-back.ts";
import type { Backpressure } from "../publish/publisher-options.ts";

/** A sink of the stream to all, at one moment. */
export interface HoldingSink {
  readonly name: string;
  readonly hold: Backpressure;
  /** It says that it reads what it holds already. */
  readonly hashing: boolean;
  /** It holds itself to a rate. */
  readonly limited: boolean;
  /** What it said last of its own time. */
  readonly pace: Pace | undefined;
}

/** A source at one moment. */
export interface HeldMoment {
  /** Bytes of frames that wait for the source's link, and the window. */
  readonly queuedBytes: number;
  readonly windowBytes: number;
  /** What the thread that reads spends its time on; undefined: it waits. */
  readonly reading: "disk" | "processor" | undefined;
  /** The source holds itself to a rate, and waits for that: people know it. */
  readonly limited: boolean;
  readonly sentBytesPerSecond: number;
  readonly sinks: readonly HoldingSink[];
}

/** As long as this was so for most of the looks of some seconds, it is worth a word. */
const LOOKS = 30;
const MOST = 0.6;

/**
 * Why a copy is not faster. Pure. Each look finds one place that everything else waits for, or none:
 *
 * - frames that wait for the source's link fill a good part of the window: its link
 * - the window is full of what a sink has not stored, or the reader waits for a sink's answer: the sink that has most left
 * - neither, and the thread that reads works without a pause: the source's disk or processor
 *
 * What most of the looks agree on is said.
 */
export class HeldBackWatch {
  readonly #looks: string[] = [];
  readonly #last = new Map<string, HeldBack>();
  readonly #counts = new Map<string, number>();
  #allLooks = 0;

  /** To be called at even distances. */
  look(moment: HeldMoment): void {
    const found = heldAt(moment);
    const key = found === undefined ? "" : `${found.place} ${found.sink ?? ""}`;
    if (found !== undefined) this.#last.set(key, found);
    this.#looks.push(key);
    if (this.#looks.length > LOOKS) this.#looks.shift();
    this.#allLooks += 1;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Of the last seconds. */
  get now(): HeldBack | undefined {
    const key = this.#looks.at(-1) ?? "";
    const agreeing = this.#looks.filter((look) => look === key).length;
    return agreeing >= LOOKS * MOST ? this.#last.get(key) : undefined;
  }

  /** Of the whole copy so far, unless it was short. */
  get mostly(): HeldBack | undefined {
    if (this.#allLooks < LOOKS) return undefined;
    const [key, count] = [...this.#counts].reduce((one, other) => (other[1] > one[1] ? other : one), ["", 0]);
    return count >= this.#allLooks * MOST ? this.#last.get(key) : undefined;
  }
}

/** Of the window: so much of it is a queue, and not merely on its way. */
const QUEUE_SHARE = 0.25;
const FULL_SHARE = 0.5;

/**
 * Whether fewer bytes would be less time: a link is what the copy waits for, or a rate that people set. A sink whose disk
 * or processor is slow would only have more to do. One that has not said yet where its time goes counts as such. Pure.
 */
export function isHeldByLink(moment: HeldMoment): boolean {
  if (moment.limited || hasQueue(moment)) return true;
  const sink = slowest(moment);
  return sink !== undefined && !sink.hashing && (sink.limited || sink.pace?.place === "link");
}

/** Where the copy is held back. Pure. */
export function heldPlace(moment: HeldMoment): HeldBack["place"] | undefined {
  return heldAt(moment)?.place;
}

function heldAt(moment: HeldMoment): HeldBack | undefined {
  const { reading, limited, sentBytesPerSecond: bytesPerSecond } = moment;
  if (limited) return undefined;
  if (hasQueue(moment)) return { place: "link", bytesPerSecond };
  const sink = slowest(moment);
  if (sink !== undefined) return heldBy(sink, bytesPerSecond);
  return reading === undefined ? undefined : { place: reading, bytesPerSecond };
}

function hasQueue({ queuedBytes, windowBytes }: HeldMoment): boolean {
  return queuedBytes >= windowBytes * QUEUE_SHARE;
}

function slowest({ sinks, windowBytes }: HeldMoment): HoldingSink | undefined {
  const holding = sinks.filter(({ hold }) => hold.holdsReader || hold.outstandingBytes >= windowBytes * FULL_SHARE);
  return holding.sort((one, other) => weight(other) - weight(one))[0];
}

/** Whoever does not answer holds the reader itself. */
function weight({ hold }: HoldingSink): number {
  return hold.holdsReader ? Number.POSITIVE_INFINITY : hold.outstandingBytes;
}

function heldBy({ name, hashing, limited, pace }: HoldingSink, sentBytesPerSecond: number): HeldBack | undefined {
  // Its people know.
  if (limited) return undefined;
  if (hashing) return { sink: name, place: "hashing", bytesPerSecond: 0 };
  return { sink: name, place: pace?.place ?? "link", bytesPerSecond: pace?.bytesPerSecond ?? sentBytesPerSecond };
}
