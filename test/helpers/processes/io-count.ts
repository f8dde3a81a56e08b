import { readFileSync } from "node:fs";
import { ProcessWatch } from "./process-watch.ts";

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
export class IoWatch extends ProcessWatch<IoCount> {
  constructor(pids: ReadonlyMap<string, number>) {
    super(pids, { file: "io", everyMs: SAMPLE_MS, parse: (text) => (text === "" ? undefined : parse(text)) });
  }

  get counts(): ReadonlyMap<string, IoCount> {
    return this.seen;
  }
}

function parse(text: string): IoCount {
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(text)?.[1]);
  return { readBytes: field("rchar"), writtenBytes: field("wchar") };
}
