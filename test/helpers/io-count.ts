import { readFileSync } from "node:fs";

/** Bytes that went through system calls of reading and writing; Linux only. */
export interface IoCount {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** What the thread that asks has read and written since it began. */
export function ioOfThisThread(): IoCount {
  return parse(readFileSync("/proc/thread-self/io", "utf8"));
}

const SAMPLE_MS = 20;

/** The last that is seen of what running processes read and wrote, by name. */
export class IoWatch implements Disposable {
  readonly counts = new Map<string, IoCount>();
  readonly #pids: ReadonlyMap<string, number>;
  readonly #timer: NodeJS.Timeout;

  constructor(pids: ReadonlyMap<string, number>) {
    this.#pids = pids;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#sample();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    for (const [name, pid] of this.#pids) {
      try {
        this.counts.set(name, parse(readFileSync(`/proc/${pid}/io`, "utf8")));
      } catch {
        // It has ended: what was seen last counts.
      }
    }
  }
}

function parse(text: string): IoCount {
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
  return { readBytes: field("rchar"), writtenBytes: field("wchar") };
}
