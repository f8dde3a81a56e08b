import { futimesSync, lstatSync } from "node:fs";
import type { Directories } from "../../lib/disk/directories.ts";
import { joined } from "../../lib/disk/directories.ts";
import { namesByPath } from "../../lib/disk/directory-names.ts";
import { loadNative } from "../../lib/disk/native.ts";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import { timestampOf } from "../../protocol/frame/timestamp.ts";
import { fingerprint } from "../../protocol/names/fingerprint.ts";
import { isOwnFolder, joinPath, OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import type { Shaped } from "../../protocol/shape/shape.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import { factsOfOpen } from "../disk/file-facts.ts";
import { FILLABLE, makeDirectory } from "../disk/fillable.ts";
import { manifestStateOf } from "../manifest/manifest.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import { copyAttributes } from "../metadata/attribute-sync.ts";
import { fileTime } from "../metadata/file-time.ts";
import { type MetadataTarget, openTarget } from "../metadata/metadata-target.ts";
import { placeIn, readOwnFile, removeOwnFile, writeOwnFile } from "../own/own-files.ts";
import { snapshotPlace } from "./catalogue.ts";
import { moveEntry } from "./move-entry.ts";
import { makeFactsFolder, placeTree } from "./move-tree.ts";
import { encodeSnapshotFacts, SNAPSHOT_FILES, type SnapshotFacts } from "./snapshot-facts.ts";
import { nextSnapshotName } from "./snapshot-name.ts";

/*
 * How a folder that has been a plain mirror begins to keep snapshots: its tree becomes the first one, by renames. Part of
 * the door to the disk (D11). In this order: a note says what the root of the tree was, the folder says that it keeps
 * snapshots, all is moved. While that note is there, whoever opens the folder goes on.
 */
const OWN = Buffer.from(OWN_FOLDER);
/** In `.fanfold`: where the tree is gathered. */
const FIRST = Buffer.from("first");
const FIRST_PATH = joinPath(OWN, FIRST);
const NOTE = "first.json";
const NOTE_BYTES_MAX = 1024;

const noteShape = shape.object({
  name: shape.text().max(20),
  mode: shape.int().nonnegative(),
  uid: shape.int().nonnegative(),
  gid: shape.int().nonnegative(),
  mtimeNs: shape.text().regex(/^-?\d{1,20}$/),
});
type FirstNote = Shaped<typeof noteShape>;

/**
 * Notes what a folder is that has been a plain mirror until now; nothing where no copy was ever complete. Before the folder
 * says that it keeps snapshots: from then on nobody could tell. Throws what `makeFirst` throws.
 */
export function noteMirror(directories: Directories): void {
  // Of an earlier time, when the folder went on as a mirror after all.
  removeOwnFile(placeIn(directories), NOTE);
  if (hasManifest(directories)) writeNote(directories, factsOfMirror(directories));
}

/**
 * Makes the first snapshot of what was noted, and gives its name. Undefined when nothing was noted, or it is made.
 *
 * @throws FanfoldError `manifest-damaged`, `folder-denied` for what cannot be moved; system errors
 */
export function makeFirst(directories: Directories): string | undefined {
  const note = readNote(directories);
  if (note === undefined) return undefined;
  const { name } = note;
  if (!isThere(directories, name)) {
    gather(directories, note);
    makeFactsFolder(directories, name);
    const { timeMs: _, rootMode: __, ...facts } = factsOfMirror(directories);
    writeOwnFile(snapshotPlace(directories, name), SNAPSHOT_FILES.facts, encodeSnapshotFacts({ ...facts, name }));
    placeTree(directories, FIRST, name);
  }
  removeOwnFile(placeIn(directories), NOTE);
  return name;
}

function hasManifest(directories: Directories): boolean {
  using manifest = ManifestReader.open(placeIn(directories));
  return manifest !== undefined;
}

function isThere(directories: Directories, name: string): boolean {
  return lstatSync(joined(directories.root, Buffer.from(name)), { throwIfNoEntry: false })?.isDirectory() === true;
}

function readNote(directories: Directories): FirstNote | undefined {
  const bytes = readOwnFile(placeIn(directories), NOTE, NOTE_BYTES_MAX);
  if (bytes === undefined) return undefined;
  try {
    const note = noteShape.accept(JSON.parse(bytes.toString()));
    if (note !== undefined) return note;
  } catch {
    // As below.
  }
  throw new FanfoldError("folder-denied", `cannot go on with the first snapshot: "${OWN_FOLDER}/${NOTE}" is damaged`);
}

function writeNote(directories: Directories, { timeMs, rootMode }: MirrorFacts): void {
  const { mode, uid, gid, mtimeNs } = factsOfOpen(directories.root.fd);
  // A sink opens its folder to itself when it starts.
  const isOpened = rootMode !== undefined && process.geteuid?.() !== 0 && mode === (rootMode | FILLABLE);
  let name = nextSnapshotName(timeMs, undefined);
  // The tree itself may have such a name in it.
  while (isThere(directories, name)) name = nextSnapshotName(timeMs, name);
  const note: FirstNote = { name, mode: isOpened ? rootMode : mode, uid, gid, mtimeNs: `${mtimeNs}` };
  writeOwnFile(placeIn(directories), NOTE, `${JSON.stringify(note)}\n`);
}

/** Moves all that is in the folder into a directory of its own, which becomes what the folder was. */
function gather(directories: Directories, note: FirstNote): void {
  const own = directories.get(OWN);
  makeDirectory(joined(own, FIRST));
  const first = directories.get(FIRST_PATH);
  for (let isLeft = true; isLeft; ) {
    isLeft = false;
    for (const names of namesByPath(directories.root.base))
      for (const name of names) {
        if (isOwnFolder(name)) continue;
        move(name, () => moveEntry(directories, name, joinPath(FIRST_PATH, name)));
        isLeft = true;
      }
  }
  const native = loadNative();
  const target = openTarget(first.fd, native);
  giveOwner(target, note);
  if (native !== undefined) copyAttributes(native, directories.root.fd, first.fd);
  target.setMode(note.mode);
  const mtime = timestampOf(BigInt(note.mtimeNs));
  if (native === undefined) futimesSync(first.fd, fileTime(mtime), fileTime(mtime));
  else native.setTimes(first.fd, mtime);
}

/** Who is no superuser may have it in another of his groups at most. */
function giveOwner(target: Pick<MetadataTarget, "setOwner">, { uid, gid }: FirstNote): void {
  try {
    target.setOwner(uid, gid);
  } catch (thrown) {
    if (systemCode(thrown) !== "EPERM" || process.geteuid?.() === 0) throw thrown;
  }
}

function move(name: Uint8Array, work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    const said = `cannot keep snapshots: "${escapeName(name)}" cannot become a part of the first one: ${reasonOf(thrown)}`;
    throw new FanfoldError("folder-denied", `${said}; move it away, then start the sink again`, { cause: thrown });
  }
}

type MirrorFacts = Omit<SnapshotFacts, "version" | "name"> & {
  readonly timeMs: number;
  /** Of the directory itself, as it was proven; undefined when modes were not carried. */
  readonly rootMode: number | undefined;
};

/** What the manifest knows of the copy. */
function factsOfMirror(directories: Directories): MirrorFacts {
  using manifest = ManifestReader.open(placeIn(directories));
  if (manifest === undefined) throw new FanfoldError("manifest-missing", "cannot make the first snapshot: no manifest");
  let [files, bytes, problemCount] = [0, 0, 0];
  let rootMode: number | undefined;
  const declared = (): void => {
    problemCount += 1;
  };
  for (const { rows, states } of manifest.pages({ declared })) {
    if (rows.first === 0 && rows.keeps.perms) rootMode = rows.mode(0);
    for (let index = 0; index < rows.count; index += 1) {
      if (manifestStateOf(states, index).state === "not-carried") problemCount += 1;
      if (!rows.isFile(index)) continue;
      files += 1;
      bytes = sumBytes(bytes, rows.size(index));
    }
  }
  const { session, sessionId, source, timeMs } = manifest.meta;
  const provenAt = new Date(timeMs).toISOString();
  return {
    ...{ timeMs, rootMode, session, sessionId, source: { name: fingerprint(source), key: source } },
    ...{ files, bytes, digest: Buffer.from(manifest.end.digest).toString("hex"), problemCount },
    ...{ createdAt: provenAt, provenAt, proofs: 1 },
  };
}
