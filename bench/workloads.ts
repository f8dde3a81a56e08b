import { execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

export const WORKLOADS = ["big", "mixed", "tiny"] as const;
export type WorkloadName = (typeof WORKLOADS)[number];

/** What a workload turned out to be. */
export interface Workload {
  readonly name: WorkloadName;
  readonly folder: string;
  readonly files: number;
  readonly directories: number;
  readonly links: number;
  readonly bytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const BIG_BYTES = 1024 * MIB;
const TINY = { files: 50_000, directories: 500, bytesMax: 4 * KIB };
const MIXED = { files: 25_000, bytes: 400 * MIB, from: ["/usr/include", "/usr/share"] };
/** Any time but now, so that a contender which forgets to set times is found out. */
const TIME_SECONDS = 1_700_000_000;

/** Bytes that the workload takes, about: each copy takes as much again. */
export function expectedBytes(name: WorkloadName, scale: number): number {
  const whole = { big: BIG_BYTES, mixed: MIXED.bytes, tiny: TINY.files * TINY.bytesMax };
  return whole[name] * scale;
}

/** Builds a workload in a new folder: on one machine the same one every time, for the same scale. */
export function buildWorkload(name: WorkloadName, folder: string, scale: number): Workload {
  mkdirSync(folder);
  const build = { big: buildBig, mixed: buildMixed, tiny: buildTiny };
  build[name](folder, scale);
  const counts = { files: 0, directories: 0, links: 0, bytes: 0 };
  count(Buffer.from(folder), counts);
  return { name, folder, ...counts };
}

/** One file that cannot be compressed. */
function buildBig(folder: string, scale: number): void {
  const noise = new Noise("big");
  const fd = openSync(join(folder, "big"), "wx");
  for (let left = Math.round(BIG_BYTES * scale); left > 0; left -= MIB) writeSync(fd, noise.take(Math.min(MIB, left)));
  closeSync(fd);
  utimesSync(join(folder, "big"), TIME_SECONDS, TIME_SECONDS);
}

/** Many files of 0 to 4 KiB, evenly spread over directories and sizes. */
function buildTiny(folder: string, scale: number): void {
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

interface Candidate {
  readonly key: string;
  readonly files: readonly Buffer[];
  readonly bytes: number;
}

/**
 * Files and links that every machine has, whole directories of them, chosen by the hash of their paths: so that large
 * and small ones, texts and pictures come in their natural proportion. Copied without hard links, which the contenders
 * do not treat alike.
 */
function buildMixed(folder: string, scale: number): void {
  const found: Candidate[] = [];
  for (const from of MIXED.from) if (existsSync(from)) look(Buffer.from(from), found);
  found.sort((one, other) => (one.key < other.key ? -1 : 1));
  let [filesLeft, bytesLeft] = [MIXED.files * scale, MIXED.bytes * scale];
  const chosen: Buffer[] = [];
  for (const { files, bytes } of found) {
    if (files.length > filesLeft || bytes > bytesLeft) continue;
    filesLeft -= files.length;
    bytesLeft -= bytes;
    for (const file of files) chosen.push(file.subarray(1), Buffer.of(0));
  }
  execFileSync("xargs", ["-0", "cp", "-a", "--no-preserve=links", "--parents", "-t", folder, "--"], {
    cwd: "/",
    input: Buffer.concat(chosen),
  });
}

function look(directory: Buffer, found: Candidate[]): void {
  const files: Buffer[] = [];
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory() && isAllowed(path, constants.R_OK | constants.X_OK)) look(path, found);
    if (entry.isSymbolicLink()) files.push(path);
    if (entry.isFile() && isAllowed(path, constants.R_OK)) {
      files.push(path);
      bytes += lstatSync(path).size;
    }
  }
  if (files.length > 0) found.push({ key: createHash("sha256").update(directory).digest("hex"), files, bytes });
}

function isAllowed(path: Buffer, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function count(directory: Buffer, counts: { files: number; directories: number; links: number; bytes: number }): void {
  counts.directories += 1;
  for (const entry of readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) count(path, counts);
    else if (entry.isSymbolicLink()) counts.links += 1;
    else {
      counts.files += 1;
      counts.bytes += lstatSync(path).size;
    }
  }
}

/** Bytes without a pattern, the same for the same name. */
class Noise {
  static readonly #ZEROS = Buffer.alloc(MIB);
  readonly #cipher: ReturnType<typeof createCipheriv>;

  constructor(name: string) {
    this.#cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(name).digest(), Buffer.alloc(16));
  }

  take(bytes: number): Buffer {
    return this.#cipher.update(Noise.#ZEROS.subarray(0, bytes));
  }
}
