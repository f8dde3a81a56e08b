import type { Directories } from "../../lib/disk/directories.ts";
import { SESSION_ID_CHARS } from "../../protocol/limits.ts";
import { COMMIT_ELSE } from "../../protocol/messages/commit.ts";
import type { Shaped } from "../../protocol/shape/shape.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import { placeIn, readOwnFile, removeOwnFile, writeOwnFile } from "../own/own-files.ts";
import { snapshotTimeMs } from "./snapshot-name.ts";

/** In `.fanfold`: what is proven and waits for the decision of its session. */
const PENDING = "pending";
const PENDING_BYTES_MAX = 1024;

const pendingShape = shape.object({
  /** Who decides: no other coordinator is asked. */
  coordinator: shape.text().regex(/^[0-9a-f]{32}$/),
  sessionId: shape.text().regex(new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`)),
  epoch: shape.int().min(1),
  name: shape
    .text()
    .max(20)
    .check((text) => (snapshotTimeMs(text) === undefined ? "want the name of a snapshot" : undefined)),
  /** Of its tree, in hex. */
  digest: shape.text().regex(/^[0-9a-f]{64}$/),
  /** That session made it. Else it was there before, and stays whatever is decided. */
  isNew: shape.flag(),
  otherwise: shape.word(COMMIT_ELSE),
});
/** A snapshot that `latest` is to lead to, if its session decides so. */
export type PendingCommit = Shaped<typeof pendingShape>;

/** Undefined: there is none, or nothing that can be read. Throws system errors. */
export function readPending(directories: Directories): PendingCommit | undefined {
  const bytes = readOwnFile(placeIn(directories), PENDING, PENDING_BYTES_MAX);
  if (bytes === undefined) return undefined;
  try {
    return pendingShape.accept(JSON.parse(bytes.toString("utf8")));
  } catch {
    return undefined;
  }
}

/** Throws system errors. */
export function writePending(directories: Directories, pending: PendingCommit): void {
  writeOwnFile(placeIn(directories), PENDING, `${JSON.stringify(pending)}\n`);
}

/** Throws system errors. */
export function removePending(directories: Directories): void {
  removeOwnFile(placeIn(directories), PENDING);
}
