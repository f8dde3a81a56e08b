import { type EntryStats, statDescriptor } from "../../lib/disk/entry-stats.ts";
import { replaced } from "../disk/source-problem.ts";
import { isSameFile } from "./hash-file.ts";

/** `grew`: the same file, which nothing but appending seems to have happened to. */
export type FileChange = "none" | "grew" | "changed";

/**
 * What happened to an open file since the stat before its first byte. Its name is looked at only when something differs:
 * the open file does not know that another one stands under it by now.
 *
 * @throws what `look` throws when nothing stands under the name any more; an error when it is no file
 */
export function fileChangeOf(fd: number, before: EntryStats, look: () => EntryStats): FileChange {
  const after = statDescriptor(fd);
  if (isSameFile(before, after)) return "none";
  const named = look();
  if (!named.isFile()) throw replaced();
  const isNamed = named.dev === before.dev && named.ino === before.ino;
  return isNamed && after.size > before.size && ATTRIBUTES.every((name) => after[name] === before[name])
    ? "grew"
    : "changed";
}

const ATTRIBUTES = ["mode", "uid", "gid", "nlink"] as const;
