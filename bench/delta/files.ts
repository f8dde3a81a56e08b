import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readSync, statSync, utimesSync, writeSync } from "node:fs";
import { TIME_SECONDS } from "../workloads/generated.ts";
import { Noise } from "../workloads/noise.ts";

export const PAGE_BYTES = 4096;
/** What the content hash is made of, and fixed pieces of. */
const LEAF_BYTES = 32 * 1024;
const MIB = 1024 * 1024;
const DAY_SECONDS = 86_400;

/** One file that cannot be compressed, with some bytes more at a place: a whole MiB of it. */
export function writeNoise(
  path: string,
  bytes: number,
  inserted?: { readonly at: number; readonly bytes: number },
): void {
  const noise = new Noise("file");
  const fd = openSync(path, "wx");
  for (let at = 0; at < bytes; at += MIB) {
    if (at === inserted?.at) writeSync(fd, new Noise("inserted").take(inserted.bytes));
    writeSync(fd, noise.take(Math.min(MIB, bytes - at)));
  }
  closeSync(fd);
}

/** A file of holes, with runs of noise at even distances. */
export function writeSparse(
  path: string,
  bytes: number,
  { filled, runBytes }: { filled: number; runBytes: number },
): void {
  const noise = new Noise("sparse");
  const distance = Math.round(runBytes / filled / PAGE_BYTES) * PAGE_BYTES;
  const fd = openSync(path, "wx");
  ftruncateSync(fd, bytes);
  for (let at = 0; at + runBytes <= bytes; at += distance) writeSync(fd, noise.take(runBytes), 0, runBytes, at);
  closeSync(fd);
}

export function append(path: string, bytes: number): void {
  const fd = openSync(path, "a");
  for (let at = 0; at < bytes; at += MIB) writeSync(fd, new Noise(`appended ${at}`).take(Math.min(MIB, bytes - at)));
  closeSync(fd);
}

/** Writes over a share of a file's pages, at random. Other versions have other pages. */
export function overwritePages(path: string, changed: number, version: number): void {
  const noise = new Noise(`pages of version ${version}`);
  const pages = Math.floor(statSync(path).size / PAGE_BYTES);
  const fd = openSync(path, "r+");
  for (let left = Math.ceil(pages * changed); left > 0; left -= 1)
    writeSync(fd, noise.take(PAGE_BYTES), 0, PAGE_BYTES, (wordOf(noise) % pages) * PAGE_BYTES);
  closeSync(fd);
}

/** Writes over the first page of a share of those runs: no hole is filled. */
export function overwriteRuns(
  path: string,
  changed: number,
  { filled, runBytes }: { filled: number; runBytes: number },
): void {
  const noise = new Noise("runs");
  const distance = Math.round(runBytes / filled / PAGE_BYTES) * PAGE_BYTES;
  const fd = openSync(path, "r+");
  const size = statSync(path).size;
  for (let at = 0; at + runBytes <= size; at += distance * Math.round(1 / changed))
    writeSync(fd, noise.take(PAGE_BYTES), 0, PAGE_BYTES, at);
  closeSync(fd);
}

/** A time for each version, days apart: programs that look at whole seconds only see that a file changed. */
export function date(path: string, version: "old" | "new"): void {
  const time = TIME_SECONDS + (version === "old" ? 0 : DAY_SECONDS);
  utimesSync(path, time, time);
}

/** With its holes, its mode and its time. */
export function copyAll(from: string, to: string): void {
  run("cp", ["-a", "--sparse=auto", "--", from, to]);
}

/** Of two files of one length, the leaves that differ. */
export function differingLeaves(path: string, other: string): Set<number> {
  const leaves = new Set<number>();
  const [fd, otherFd] = [openSync(path, "r"), openSync(other, "r")];
  const [part, otherPart] = [Buffer.alloc(MIB), Buffer.alloc(MIB)];
  const size = statSync(path).size;
  for (let at = 0; at < size; at += MIB) {
    const read = readSync(fd, part, 0, MIB, at);
    readSync(otherFd, otherPart, 0, MIB, at);
    for (let leaf = 0; leaf < read; leaf += LEAF_BYTES) {
      const end = Math.min(read, leaf + LEAF_BYTES);
      if (part.compare(otherPart, leaf, end, leaf, end) !== 0) leaves.add((at + leaf) / LEAF_BYTES);
    }
  }
  closeSync(fd);
  closeSync(otherFd);
  return leaves;
}

export function leavesBytes(leaves: number): number {
  return leaves * LEAF_BYTES;
}

/** @throws Error with what it said */
export function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim()}`);
}

/** 32 bits. */
export function wordOf(noise: Noise): number {
  return noise.take(4).readUInt32LE(0);
}
