/** Where the time of a thread went between two looks. */
interface Work {
  /** Part of the time in which it worked or waited for its disk, and not for messages. 0 to 1. */
  readonly busyShare: number;
  /** Processor time that it used or waited for, as a part of the time that passed. */
  readonly processorShare: number;
  /** Of what it was counted for, in a second. */
  readonly perSecond: number;
}

interface WorkSource {
  /** Part of the time since the last call in which the thread did not wait for messages. */
  busyShare(): number;
  /** Processor time that it has used or waited for so far. */
  processorMs(): number;
}

/** Looks that are closer together are joined: a few milliseconds mean nothing. */
const LOOK_MS_MIN = 1_000;

/** Measures where a thread's time goes, from outside: nothing is counted in its own loops. */
export class WorkMeter {
  readonly #thread: WorkSource;
  #atMs: number;
  #amount = 0;
  #usedMs: number;
  #work: Work | undefined;

  constructor(thread: WorkSource, nowMs: number) {
    this.#thread = thread;
    this.#atMs = nowMs;
    this.#usedMs = thread.processorMs();
    thread.busyShare();
  }

  /** Of the last second or more; undefined before that. `amount` is what was done by now: it never goes down. */
  look(nowMs: number, amount: number): Work | undefined {
    const sinceMs = nowMs - this.#atMs;
    if (sinceMs < LOOK_MS_MIN) return this.#work;
    const usedMs = this.#thread.processorMs();
    this.#work = {
      busyShare: this.#thread.busyShare(),
      processorShare: (usedMs - this.#usedMs) / sinceMs,
      perSecond: (Math.max(0, amount - this.#amount) * 1000) / sinceMs,
    };
    this.#atMs = nowMs;
    this.#amount = amount;
    this.#usedMs = usedMs;
    return this.#work;
  }
}

/** A thread that works for most of the time is what the others wait for. */
const BUSY_SHARE_MIN = 0.7;
/** The same thread waits for its disk when it uses less of a processor than this part of its busy time. */
const PROCESSOR_SHARE_MIN = 0.7;

/** What the thread's time went to; undefined: it mostly waited for messages. */
export function placeOf({ busyShare, processorShare }: Work): "disk" | "processor" | undefined {
  if (busyShare < BUSY_SHARE_MIN) return undefined;
  return processorShare >= busyShare * PROCESSOR_SHARE_MIN ? "processor" : "disk";
}
