import { readFileSync } from "node:fs";
import type { BatchWriter } from "./batch.ts";
import { inAChild } from "./in-a-child.ts";
import { inAThread } from "./in-a-thread.ts";
import { inTwoThreads } from "./in-two-threads.ts";
import { onTheLoop } from "./on-the-loop.ts";
import { withPromises } from "./with-promises.ts";

/** One way to do the work, and the files that it needs. */
export interface Variant {
  readonly title: string;
  readonly open: (folder: string) => Promise<BatchWriter>;
  readonly files: readonly string[];
}

export const VARIANTS: Readonly<Record<string, Variant>> = {
  loop: { title: "event loop, synchronous calls", open: onTheLoop, files: ["on-the-loop.ts", "store-batch.ts"] },
  "promises-1": {
    title: "fs/promises, one file at a time",
    open: (folder) => withPromises(folder, 1),
    files: ["with-promises.ts"],
  },
  "promises-16": {
    title: "fs/promises, 16 files at a time",
    open: (folder) => withPromises(folder, 16),
    files: ["with-promises.ts"],
  },
  thread: {
    title: "one worker thread, synchronous calls",
    open: inAThread,
    files: ["in-a-thread.ts", "thread-program.ts", "store-batch.ts"],
  },
  "two-threads": {
    title: "two worker threads, synchronous calls",
    open: inTwoThreads,
    files: ["in-two-threads.ts", "in-a-thread.ts", "thread-program.ts", "store-batch.ts"],
  },
  child: {
    title: "child process through a pipe, synchronous calls",
    open: inAChild,
    files: ["in-a-child.ts", "child-program.ts", "store-batch.ts"],
  },
};

/** Lines that hold code: neither empty nor comment. */
export function linesOfCode({ files }: Variant): number {
  const lines = files.flatMap((file) => readFileSync(new URL(`./${file}`, import.meta.url), "utf8").split("\n"));
  return lines.filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length;
}
