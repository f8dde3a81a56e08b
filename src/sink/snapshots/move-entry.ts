import { chmodSync, lstatSync, renameSync } from "node:fs";
import { type Directories, joined } from "../../lib/disk/directories.ts";
import { systemCode } from "../../lib/errors.ts";
import { nameOf, parentOf } from "../../protocol/names/relative-path.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import { FILLABLE } from "../disk/fillable.ts";
import { placeIn, readOwnFile, removeOwnFile, writeOwnFile } from "../own/own-files.ts";

/*
 * How an entry gets another place in a sink's folder: part of the door to the disk (D11). Whoever is no superuser cannot move a
 * directory that he may not write into. It is opened to him meanwhile, and what it was is noted before. After a kill in between
 * the next one who opens the folder gives it its mode back.
 */
/** In `.fanfold`: the directory that is open to its owner, and its own mode. */
const NOTE = "moving.json";
const NOTE_BYTES_MAX = 4096;

/** Two places, of which it stands in one, from the folder on. Names are bytes, so they are written in hex. */
const noteShape = shape.object({
  from: shape.text().regex(/^([0-9a-f]{2})+$/),
  to: shape.text().regex(/^([0-9a-f]{2})+$/),
  mode: shape.int().nonnegative(),
});

/** Renames. Both paths begin in the folder. Throws system errors. */
export function moveEntry(directories: Directories, from: Uint8Array, to: Uint8Array): void {
  const [before, after] = [placeOf(directories, from), placeOf(directories, to)];
  try {
    renameSync(before, after);
  } catch (thrown) {
    const stats = lstatSync(before);
    if (systemCode(thrown) !== "EACCES" || !stats.isDirectory() || (stats.mode & FILLABLE) === FILLABLE) throw thrown;
    const mode = stats.mode & 0o7777;
    const [fromHex, toHex] = [from, to].map((path) => Buffer.from(path).toString("hex"));
    writeOwnFile(placeIn(directories), NOTE, `${JSON.stringify({ from: fromHex, to: toHex, mode })}\n`);
    chmodSync(before, mode | FILLABLE);
    try {
      renameSync(before, after);
    } finally {
      endMove(directories);
    }
  }
}

/** Gives a directory its mode back that was opened to be moved. Throws system errors. */
export function endMove(directories: Directories): void {
  const note = readNote(directories);
  if (note === undefined) return;
  for (const hex of [note.to, note.from]) {
    const path = placeOf(directories, Buffer.from(hex, "hex"));
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true || (stats.mode & 0o7777) !== (note.mode | FILLABLE)) continue;
    chmodSync(path, note.mode);
    break;
  }
  removeOwnFile(placeIn(directories), NOTE);
}

function readNote(directories: Directories) {
  const bytes = readOwnFile(placeIn(directories), NOTE, NOTE_BYTES_MAX);
  if (bytes === undefined) return undefined;
  try {
    return noteShape.accept(JSON.parse(bytes.toString()));
  } catch {
    return undefined;
  }
}

function placeOf(directories: Directories, path: Uint8Array): Buffer {
  return joined(directories.get(parentOf(path)), nameOf(path));
}
