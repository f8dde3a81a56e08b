import { lstatSync, readlinkSync } from "node:fs";
import { type Directories, joined } from "../../lib/disk/directories.ts";
import { namesByPath } from "../../lib/disk/directory-names.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { removeTree } from "../disk/remove-tree.ts";
import { type OwnPlace, readOwnFile } from "../own/own-files.ts";
import { decodeSnapshotFacts, SNAPSHOT_FACTS_BYTES_MAX, SNAPSHOT_FILES, type SnapshotFacts } from "./snapshot-facts.ts";
import { LATEST, snapshotTimeMs } from "./snapshot-name.ts";

/** In `.fanfold`: a folder of facts for each snapshot, beside the trees. */
export const SNAPSHOTS_FOLDER = "snapshots";
/** One each hour for seven years. Each takes 2 KiB of memory at most. */
const SNAPSHOTS_MAX = 65_536;

/** A proven tree in a sink's folder. */
export interface Snapshot {
  readonly name: string;
  /** As its name says, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Its fleet has not switched to it, or not yet. */
  readonly isAside: boolean;
  /** What is known of it, or why nothing is: an error `snapshot-damaged`. */
  readonly facts: SnapshotFacts | FanfoldError;
}

/**
 * The snapshots of a sink's folder, the oldest first: each directory in it that has the name of one. Other names are nobody's
 * business. One whose facts cannot be read does not hide the others.
 *
 * @throws FanfoldError `too-many`; system errors
 */
export function readCatalogue(directories: Directories): Snapshot[] {
  return snapshotNames(directories).map((name) => {
    const facts = readSnapshotFacts(directories, name);
    const isAside = !(facts instanceof FanfoldError) && facts.setAside === true;
    return { name, timeMs: snapshotTimeMs(name) ?? 0, isAside, facts };
  });
}

/** Their names alone, the oldest first. @throws FanfoldError `too-many`; system errors */
export function snapshotNames(directories: Directories): string[] {
  const names: string[] = [];
  for (const some of namesByPath(directories.root.base))
    for (const bytes of some) {
      const name = bytes.toString("latin1");
      if (snapshotTimeMs(name) === undefined || !isDirectory(directories, bytes)) continue;
      names.push(name);
      if (names.length > SNAPSHOTS_MAX)
        throw new FanfoldError(
          "too-many",
          `cannot list the snapshots: there are more than ${SNAPSHOTS_MAX}; prune some`,
        );
    }
  return names.sort();
}

/** Name of the snapshot that `latest` leads to; undefined when it leads to none. */
export function latestName(directories: Directories): string | undefined {
  try {
    const name = readlinkSync(joined(directories.root, Buffer.from(LATEST)), "latin1");
    return snapshotTimeMs(name) === undefined ? undefined : name;
  } catch (thrown) {
    // It is missing, or no link.
    if (["ENOENT", "EINVAL"].includes(systemCode(thrown) ?? "")) return undefined;
    throw thrown;
  }
}

/** Where the facts of a snapshot are kept: the files in SNAPSHOT_FILES. */
export function snapshotPlace(directories: Directories, name: string): OwnPlace {
  const folder = Buffer.from(`${OWN_FOLDER}/${SNAPSHOTS_FOLDER}/${name}`);
  return {
    at: (_, file) => joined(directories.get(folder), file),
    remove: (_, file) => removeTree(directories.get(folder), file),
  };
}

export function readSnapshotFacts(directories: Directories, name: string): SnapshotFacts | FanfoldError {
  try {
    const bytes = readOwnFile(snapshotPlace(directories, name), SNAPSHOT_FILES.facts, SNAPSHOT_FACTS_BYTES_MAX);
    return bytes === undefined ? withoutFacts(name) : decodeSnapshotFacts(bytes, name);
  } catch (thrown) {
    if (thrown instanceof FanfoldError) return thrown;
    if (!UNUSABLE.has(systemCode(thrown) ?? "")) throw thrown;
    return withoutFacts(name, thrown);
  }
}

/** It is not there, or something else stands in its place. */
const UNUSABLE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENXIO", "EACCES"]);

function withoutFacts(name: string, cause?: unknown): FanfoldError {
  const file = `${OWN_FOLDER}/${SNAPSHOTS_FOLDER}/${name}/${SNAPSHOT_FILES.facts}`;
  const text = `cannot read what is known of the snapshot ${name}: "${file}" is missing, or is no file that can be read`;
  return new FanfoldError("snapshot-damaged", text, { cause });
}

function isDirectory(directories: Directories, name: Buffer): boolean {
  return lstatSync(joined(directories.root, name), { throwIfNoEntry: false })?.isDirectory() === true;
}
