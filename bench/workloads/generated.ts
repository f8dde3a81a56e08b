import { closeSync, mkdirSync, openSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Noise } from "./noise.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
export const BIG_BYTES = 1024 * MIB;
export const TINY = { files: 50_000, directories: 500, bytesMax: 4 * KIB };
/** Any time but now, so that a contender which forgets to set times is found out. */
export const TIME_SECONDS = 1_700_000_000;

/** One file that cannot be compressed. */
export function buildBig(folder: string, scale: number): void {
  const noise = new Noise("big");
  const fd = openSync(join(folder, "big"), "wx");
  for (let left = Math.round(BIG_BYTES * scale); left > 0; left -= MIB) writeSync(fd, noise.take(Math.min(MIB, left)));
  closeSync(fd);
  utimesSync(join(folder, "big"), TIME_SECONDS, TIME_SECONDS);
}

/** Many files of 0 to 4 KiB, evenly spread over directories and sizes. */
export function buildTiny(folder: string, scale: number): void {
  const noise = new Noise("tiny");
  const directories = Math.max(1, Math.round(TINY.directories * scale));
  for (let index = 0; index < directories; index += 1) mkdirSync(join(folder, `d${index}`));
  for (let index = 0; index < Math.round(TINY.files * scale); index += 1) {
    const path = join(folder, `d${index % directories}`, `f${index}`);
    const fd = openSync(path, "wx");
    writeSync(fd, noise.take(noise.take(4).readUInt32LE() % (TINY.bytesMax + 1)));
    closeSync(fd);
    utimesSync(path, TIME_SECONDS + index, TIME_SECONDS + index);
  }
}
