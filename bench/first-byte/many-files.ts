import { closeSync, mkdirSync, openSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TIME_SECONDS } from "../workloads/generated.ts";

/** A file in so many has content, so that copies of the whole tree fit into memory: each such file takes 4 KiB of it. */
const CONTENT_EVERY = 10;
const CONTENT = Buffer.alloc(64, "fanfold ");

/** Files evenly over directories, one after the other. */
export function buildManyFiles(folder: string, { files, directories }: { files: number; directories: number }): void {
  const each = Math.ceil(files / directories);
  for (let index = 0; index < files; index += 1) {
    const directory = join(folder, `d${Math.floor(index / each)}`);
    if (index % each === 0) mkdirSync(directory, { recursive: true });
    const fd = openSync(join(directory, `f${index}`), "wx");
    if (index % CONTENT_EVERY === 0) writeSync(fd, CONTENT);
    closeSync(fd);
  }
  utimesSync(folder, TIME_SECONDS, TIME_SECONDS);
}
