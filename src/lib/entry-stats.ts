import type { BigIntStats } from "node:fs";

/** What is asked of an entry of a directory: as node:fs gives it, whichever call found it out. */
export type EntryStats = Pick<
  BigIntStats,
  | ("dev" | "ino" | "mode" | "nlink" | "uid" | "gid" | "rdev" | "size" | "blocks" | "mtimeNs" | "ctimeNs")
  | ("isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket" | "isCharacterDevice")
>;
