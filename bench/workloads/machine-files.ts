import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { TIME_SECONDS } from "./generated.ts";

const MIB = 1024 * 1024;
export const MIXED = { files: 25_000, bytes: 400 * MIB, from: ["/usr/include", "/usr/share"] };
export const TEXT = {
  bytes: 500 * MIB,
  from: ["/usr/include", "/usr/lib", "/usr/share/perl", "/usr/share/perl5", "/usr/share/vim"],
};
const SOURCE_CODE = /\.(h|hh|hpp|hxx|c|cc|cpp|py|pyi|pl|pm|rb|js|mjs|cjs|ts|java|go|rs|sh|tcl|vim|lua|el|php)$/;

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
export function buildMixed(folder: string, scale: number): void {
  const found = candidates(MIXED.from);
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

/**
 * This machine's source code, as often as it takes, each file of each round with a first line of its own: no file is the
 * same as another, and each shrinks as source code does.
 */
export function buildText(folder: string, scale: number): void {
  const paths = candidates(TEXT.from)
    .flatMap(({ files }) => files.map((file) => file.toString()))
    .filter((path) => SOURCE_CODE.test(path) && existsSync(path) && lstatSync(path).isFile())
    .sort();
  if (paths.length === 0) throw new Error(`found no source code in ${TEXT.from.join(", ")}: text needs some`);
  let bytesLeft = TEXT.bytes * scale;
  for (let round = 0; bytesLeft > 0; round += 1) {
    for (const path of paths) {
      const content = readFileSync(path);
      const line = Buffer.from(`// ${createHash("sha256").update(`${round} ${path}`).digest("hex")}\n`);
      bytesLeft -= line.length + content.length;
      if (bytesLeft <= 0) return;
      const to = join(folder, `round-${round}`, path);
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, Buffer.concat([line, content]));
      utimesSync(to, TIME_SECONDS, TIME_SECONDS);
    }
  }
}

function candidates(folders: readonly string[]): Candidate[] {
  const found: Candidate[] = [];
  for (const folder of folders) if (existsSync(folder)) look(Buffer.from(folder), found);
  return found;
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
