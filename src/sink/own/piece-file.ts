import { closeSync } from "node:fs";
import { encodeIndex, readIndex } from "../../delta/index-file.ts";
import { type IndexedFile, PieceIndex } from "../../delta/piece-index.ts";
import { writeFully } from "../disk/read-content.ts";
import { commitOwnFile, createOwnFile, type OwnPlace, openOwnFile, removeOwnFile } from "./own-files.ts";

/*
 * The pieces of large files that a sink holds, in `.fanfold/pieces`. They only save bytes: whatever goes wrong with them is
 * no fault of a copy.
 */
const FILE = "pieces";
const DRAFT = "pieces.new";

/** What a folder remembers of files, where they are as they were: `placed` says where. */
export function loadPieces(place: OwnPlace, placed: (file: IndexedFile) => IndexedFile | undefined): PieceIndex {
  let fd: number | undefined;
  try {
    fd = openOwnFile(place, FILE);
    return fd === undefined ? new PieceIndex() : readIndex(fd, placed);
  } catch {
    return new PieceIndex();
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Takes the place of what the folder remembered. Not synced: what the power takes of it shows by itself. */
export function savePieces(place: OwnPlace, index: PieceIndex): void {
  try {
    writeDraft(place, index);
  } catch {
    spared(() => removeOwnFile(place, DRAFT));
    // What it replaces may know files as they were before this copy: those are left out when it is read.
  }
}

function writeDraft(place: OwnPlace, index: PieceIndex): void {
  const fd = createOwnFile(place, DRAFT);
  try {
    let at = 0;
    for (const part of encodeIndex(index)) {
      writeFully(fd, part, at);
      at += part.length;
    }
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  commitOwnFile(place, fd, { from: DRAFT, to: FILE, isSynced: false });
}

function spared(work: () => void): void {
  try {
    work();
  } catch {
    // It only saves bytes.
  }
}
