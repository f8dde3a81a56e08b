import { fsyncSync, linkSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { type Directories, type Directory, joined } from "../../lib/disk/directories.ts";
import { systemCode } from "../../lib/errors.ts";
import { joinPath, OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { makeDirectory } from "../disk/fillable.ts";
import { removeTree } from "../disk/remove-tree.ts";
import { MANIFEST } from "../manifest/manifest.ts";
import { SNAPSHOTS_FOLDER } from "./catalogue.ts";
import { moveEntry } from "./move-entry.ts";
import { SNAPSHOT_FILES } from "./snapshot-facts.ts";
import { LATEST } from "./snapshot-name.ts";

/*
 * How a tree becomes a snapshot, and the newest one: part of the door to the disk (D11). Each step is one rename. After a
 * kill in between either the tree is what it was, or it is a snapshot with all its facts.
 */
const OWN = Buffer.from(OWN_FOLDER);
const LATEST_BYTES = Buffer.from(LATEST);
/** In `.fanfold`: the link, before it gets its place. */
const LATEST_DRAFT = Buffer.from(`${LATEST}.new`);
const MANIFEST_DRAFT = Buffer.from(`${MANIFEST}.new`);

/** Makes the folder of a snapshot's facts, with the manifest that the copy left. Throws system errors. */
export function makeFactsFolder(directories: Directories, name: string): void {
  const own = directories.get(OWN);
  makeDirectory(joined(own, Buffer.from(SNAPSHOTS_FOLDER)));
  const folders = directories.get(Buffer.from(`${OWN_FOLDER}/${SNAPSHOTS_FOLDER}`));
  try {
    mkdirSync(joined(folders, Buffer.from(name)), { mode: 0o700 });
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
  linkManifest(directories, name);
  sync(folders);
}

/** The manifest of the last copy becomes that of a snapshot. It is never written to: a new one takes its name. Throws system errors. */
export function linkManifest(directories: Directories, name: string): void {
  const facts = directories.get(Buffer.from(`${OWN_FOLDER}/${SNAPSHOTS_FOLDER}/${name}`));
  removeTree(facts, MANIFEST_DRAFT);
  const draft = joined(facts, MANIFEST_DRAFT);
  linkSync(joined(directories.get(OWN), Buffer.from(MANIFEST)), draft);
  const manifest = Buffer.from(SNAPSHOT_FILES.manifest);
  renameSync(draft, joined(facts, manifest));
  // A rename of two names of one file leaves both.
  removeTree(facts, MANIFEST_DRAFT);
  sync(facts);
}

/** Gives a tree in `.fanfold` its place as a snapshot. Throws system errors. */
export function placeTree(directories: Directories, tree: Uint8Array, name: string): void {
  moveEntry(directories, joinPath(OWN, tree), Buffer.from(name));
  sync(directories.root);
  sync(directories.get(OWN));
}

/** `latest` leads to the snapshot from now on. Throws system errors. */
export function switchLatest(directories: Directories, name: string): void {
  const own = directories.get(OWN);
  removeTree(own, LATEST_DRAFT);
  symlinkSync(name, joined(own, LATEST_DRAFT));
  renameSync(joined(own, LATEST_DRAFT), joined(directories.root, LATEST_BYTES));
  sync(directories.root);
}

function sync({ fd }: Directory): void {
  fsyncSync(fd);
}
