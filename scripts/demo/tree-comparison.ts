import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from "node:fs";

/** What compared two trees, and what it found: nothing when they are equal. */
export interface Comparison {
  readonly differences: readonly string[];
}

export interface Judge {
  /** For people: the command, or what is compared. */
  readonly name: string;
  compare(source: string, copy: string): Comparison;
}

/** What is not looked at. */
export interface Leniency {
  /** Of directories and symbolic links times are not compared. */
  readonly timesOfFilesOnly?: boolean;
}

/** A sink's own state, which is no part of the copy. */
const OWN_FOLDER = ".fanfold";
const RSYNC = ["-rlptnic", "--delete", `--exclude=/${OWN_FOLDER}`];
const RSYNC_TIMES_OF_FILES = ["--omit-dir-times", "--omit-link-times"];
const DIFF = ["-r", "--no-dereference", `--exclude=${OWN_FOLDER}`];

/** rsync if it is there. Without it diff, with a look at what diff does not see. Without both a walk of our own. */
export function findJudge({ timesOfFilesOnly = false }: Leniency = {}): Judge {
  const times = timesOfFilesOnly ? "times of files" : "times";
  if (runs("rsync")) {
    const args = [...RSYNC, ...(timesOfFilesOnly ? RSYNC_TIMES_OF_FILES : [])];
    return {
      name: `rsync ${args.join(" ")}`,
      compare: (source, copy) => run("rsync", [...args, "--", `${source}/`, `${copy}/`]),
    };
  }
  if (runs("diff")) {
    return {
      name: `diff ${DIFF.join(" ")}, and types, modes, link targets and ${times}`,
      compare: (source, copy) => {
        const content = run("diff", [...DIFF, "--", source, copy]);
        const seen = compareTrees(source, copy, { content: false, timesOfFilesOnly });
        return { differences: [...content.differences, ...seen] };
      },
    };
  }
  return {
    name: `a walk of this script: types, modes, link targets, ${times} in seconds, SHA-256 (rsync and diff are missing)`,
    compare: (source, copy) => ({ differences: compareTrees(source, copy, { content: true, timesOfFilesOnly }) }),
  };
}

function runs(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

function run(command: string, args: readonly string[]): Comparison {
  const result = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const lines = `${result.stdout}${result.stderr}`.split("\n").filter((line) => line !== "");
  if (result.status !== 0 && lines.length === 0) lines.push(`${command} ended with ${result.status ?? result.signal}`);
  return { differences: lines };
}

export interface Look extends Leniency {
  readonly content: boolean;
}

/** Walks both trees; one line for each entry that differs. Names are bytes, shown as they can be. */
export function compareTrees(source: string, copy: string, how: Look): string[] {
  const differences: string[] = [];
  const look = (below: Buffer): void => {
    const [from, to] = [inside(source, below), inside(copy, below)];
    const own = difference(from, to, how);
    if (own !== undefined) differences.push(`${below.toString() || "."}: ${own}`);
    if (!lstatSync(from).isDirectory() || own?.startsWith("type") === true || own === "missing") return;
    const [there, here] = [namesIn(from), namesIn(to)];
    if (below.length === 0) here.delete(Buffer.from(OWN_FOLDER).toString("latin1"));
    for (const name of there) look(join(below, Buffer.from(name, "latin1")));
    for (const name of here)
      if (!there.has(name)) differences.push(`${join(below, Buffer.from(name, "latin1"))}: not in the source`);
  };
  look(Buffer.alloc(0));
  return differences;
}

function difference(from: Buffer, to: Buffer, { content, timesOfFilesOnly = false }: Look): string | undefined {
  const [wanted, found] = [lstatSync(from), lstatSync(to, { throwIfNoEntry: false })];
  if (found === undefined) return "missing";
  if (kind(wanted) !== kind(found)) return `type ${kind(found)}, want ${kind(wanted)}`;
  if (wanted.isSymbolicLink()) {
    return readlinkSync(from, "buffer").equals(readlinkSync(to, "buffer")) ? undefined : "another link target";
  }
  if ((wanted.mode & 0o7777) !== (found.mode & 0o7777)) return "another mode";
  const isTimed = wanted.isFile() || !timesOfFilesOnly;
  if (isTimed && Math.floor(wanted.mtimeMs / 1000) !== Math.floor(found.mtimeMs / 1000))
    return "another modification time";
  if (!wanted.isFile()) return undefined;
  if (wanted.size !== found.size) return "another size";
  return content && sha256(from) !== sha256(to) ? "another content" : undefined;
}

function kind(stats: Stats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symbolic link" : "something else";
}

/** Names as latin1 strings, which hold any bytes. */
function namesIn(folder: Buffer): Set<string> {
  return new Set(readdirSync(folder, "buffer").map((name) => name.toString("latin1")));
}

function inside(root: string, below: Buffer): Buffer {
  return below.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), below]);
}

function join(folder: Buffer, name: Buffer): Buffer {
  return folder.length === 0 ? name : Buffer.concat([folder, Buffer.from("/"), name]);
}

function sha256(path: Buffer): string {
  const hash = createHash("sha256");
  const part = Buffer.allocUnsafe(1024 * 1024);
  const file = openSync(path, "r");
  try {
    for (let length = readSync(file, part); length > 0; length = readSync(file, part))
      hash.update(part.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}
