import type { EntryStats } from "../../lib/disk/entry-stats.ts";
import { isSparse } from "../../lib/disk/file-pieces.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import { timestampOf } from "../../protocol/frame/timestamp.ts";
import { FileHasher } from "../../protocol/hash/content-hash.ts";
import { replaced } from "../disk/source-problem.ts";
import type { TreeFolder } from "../disk/tree-folder.ts";
import { hashRange } from "./hash-file.ts";
import { fileChangeOf } from "./second-look.ts";
import { settledStat } from "./settled-stat.ts";

/** The content of a file that no sink wanted, and what the file was before and after it was read. */
export interface UnreadFile {
  readonly hash: Uint8Array;
  readonly stats: EntryStats;
}

/**
 * Reads a file that no sink wanted, because its hash is not known. Undefined when it is not, or not all the time, what its
 * page says. Synchronous. Throws system errors.
 */
export function hashUnread(folder: TreeFolder, entry: FileEntry): UnreadFile | undefined {
  const directory = folder.directory(entry.directory);
  const fd = folder.openFile(directory, entry.name);
  try {
    const stats = settledStat(fd);
    if (!stats.isFile()) throw replaced();
    const { seconds, nanoseconds } = timestampOf(stats.mtimeNs);
    const { size, mtime } = entry;
    if (stats.size !== size || seconds !== mtime.seconds || nanoseconds !== mtime.nanoseconds) return undefined;
    const hasher = new FileHasher();
    if (hashRange(fd, { from: 0, to: size, isSparse: isSparse(stats) }, [hasher]) < size) return undefined;
    const change = fileChangeOf(fd, stats, () => folder.look(directory, entry.name));
    return change === "none" ? { hash: hasher.digest(), stats } : undefined;
  } finally {
    folder.closeFile(directory, fd);
  }
}
