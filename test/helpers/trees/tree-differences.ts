import { execFile } from "node:child_process";
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { escapeName } from "../../../src/lib/escape-name.ts";

/** A sink's own state, which is no part of the copy. */
export const OWN_FOLDER = ".fanfold";
const READ_BYTES = 1024 * 1024;

/** What an ordinary user can make equal. */
const ORDINARY = ["-rlptnic", "--delete"];
/** All that rsync knows of. */
export const EVERYTHING = ["-aHAXnic", "--delete", "--numeric-ids"];

/** What rsync would change to make the copy equal, one line each. */
export async function rsyncDifferences(
  source: string,
  copy: string,
  excludes: readonly string[] = [],
  compared: readonly string[] = ORDINARY,
): Promise<string[]> {
  const excluded = [OWN_FOLDER, ...excludes].map((name) => `--exclude=/${name}`);
  return await rsyncLines([...compared, ...excluded, "--", `${source}/`, `${copy}/`]);
}

/** What rsync says. */
export async function rsyncLines(args: readonly string[]): Promise<string[]> {
  return await new Promise((resolve, reject) => {
    execFile("rsync", args, { encoding: "latin1", maxBuffer: 64 * READ_BYTES }, (error, stdout, stderr) => {
      if (error !== null && stdout === "" && stderr === "") reject(error);
      else resolve(`${stdout}${stderr}`.split("\n").filter((line) => line !== ""));
    });
  });
}

/** Where two trees differ, by escaped path: types, modes, times in microseconds (Node sets them no more exactly), content. */
export function treeDifferences(
  source: string,
  copy: string,
  options: { readonly excludes?: readonly string[]; readonly content?: boolean } = {},
): string[] {
  const { excludes = [], content = true } = options;
  const names = (root: string) => pathsIn(root, [OWN_FOLDER, ...excludes]).map((path) => path.toString("latin1"));
  const [wanted, found] = [names(source), new Set(names(copy))];
  const differences: string[] = [];
  const say = (name: string, what: string) => differences.push(`${escapeName(Buffer.from(name, "latin1"))}: ${what}`);
  for (const name of wanted) {
    const [from, to] = [source, copy].map((root) => at(root, Buffer.from(name, "latin1"))) as [Buffer, Buffer];
    const difference = found.delete(name) ? entryDifference(from, to, content) : "missing";
    if (difference !== undefined) say(name, difference);
  }
  for (const name of found) say(name, "not in the source");
  return differences;
}

function entryDifference(from: Buffer, to: Buffer, content: boolean): string | undefined {
  const [left, right] = [lstatSync(from, { bigint: true }), lstatSync(to, { bigint: true })];
  if (left.mode !== right.mode) return `mode ${right.mode.toString(8)}, at the source ${left.mode.toString(8)}`;
  if (microseconds(left.mtimeNs) !== microseconds(right.mtimeNs))
    return `time ${right.mtimeNs} ns, at the source ${left.mtimeNs} ns`;
  if (left.isSymbolicLink()) {
    const same = readlinkSync(from, { encoding: "buffer" }).equals(readlinkSync(to, { encoding: "buffer" }));
    return same ? undefined : "link target";
  }
  return content && left.isFile() && !equalFiles(from, to) ? "content" : undefined;
}

/** Rounded down, also before 1970. */
function microseconds(ns: bigint): bigint {
  return (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n;
}

/** What is left of unfinished files. */
export function partialsIn(copy: string): string[] {
  return readdirSync(`${copy}/${OWN_FOLDER}/partial`);
}

export function equalFiles(one: Buffer | string, other: Buffer | string): boolean {
  const [left, right] = [lstatSync(one), lstatSync(other)];
  if (left.size !== right.size) return false;
  const fds = [openSync(one, "r"), openSync(other, "r")] as const;
  const buffers = [Buffer.alloc(READ_BYTES), Buffer.alloc(READ_BYTES)] as const;
  try {
    for (let offset = 0; offset < left.size; ) {
      const count = readSync(fds[0], buffers[0], 0, READ_BYTES, offset);
      const others = readSync(fds[1], buffers[1], 0, READ_BYTES, offset);
      if (count === 0 || count !== others) return false;
      if (buffers[0].compare(buffers[1], 0, count, 0, count) !== 0) return false;
      offset += count;
    }
    return true;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** Every path below a root, the root itself first as the empty one. */
export function pathsIn(root: string, excludes: readonly string[]): Buffer[] {
  const found = [Buffer.alloc(0)];
  const excluded = new Set(excludes);
  const look = (directory: Buffer): void => {
    for (const entry of readdirSync(at(root, directory), { withFileTypes: true, encoding: "buffer" })) {
      if (directory.length === 0 && excluded.has(entry.name.toString("latin1"))) continue;
      const path = directory.length === 0 ? entry.name : Buffer.concat([directory, Buffer.from("/"), entry.name]);
      found.push(path);
      if (entry.isDirectory()) look(path);
    }
  };
  look(Buffer.alloc(0));
  return found;
}

/** A path below a root. */
export function at(root: string, path: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(path.length === 0 ? root : `${root}/`), path]);
}
