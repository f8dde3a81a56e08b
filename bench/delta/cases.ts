import {
  APPENDING,
  type Change,
  COPYING,
  DUMP,
  IMAGE,
  INSERTION,
  PAGES,
  RECENT_DUMP,
  RENAMING,
  REWRITTEN,
  SPARSE,
  TAR,
  VERSIONS,
} from "./changes.ts";

export const CONTENDERS = ["rsync", "off", "auto", "on", "borg", "restic"] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** Mbit/s that the source's link carries, or as many as the machine can, or no link: all in one network. */
export type Link = number | "none" | "loopback";

/** A change, and what is to be found out of it. */
export interface DeltaCase {
  readonly name: string;
  readonly change: Change;
  /** Unless something else is asked for. */
  readonly contenders: readonly ContenderName[];
  /** Of its own, unless a size is asked for. */
  readonly bytes?: number;
  /** Of its own: such a case is about the link. */
  readonly link?: Link;
  /** Of its own, unless a link is asked for. */
  readonly mbits?: number;
  readonly sinks?: number;
  readonly runs?: number;
  /** Takes long, and a disk: only where it is asked for. */
  readonly isLong?: boolean;
}

const GIB = 1024 ** 3;
const ALL_OF_FANFOLD: readonly ContenderName[] = ["rsync", "off", "auto", "on"];
const WITH_RSYNC: readonly ContenderName[] = ["rsync", "auto", "on"];
const WITH_REPOSITORIES: readonly ContenderName[] = [...WITH_RSYNC, "borg", "restic"];
const FAST = { change: PAGES, contenders: ["off", "auto"] } as const;
const LONG = { runs: 1, isLong: true } as const;

/** In the order of the report. */
export const CASES: readonly DeltaCase[] = [
  { name: "pages", change: PAGES, contenders: ALL_OF_FANFOLD },
  { name: "insert", change: INSERTION, contenders: WITH_RSYNC },
  { name: "append", change: APPENDING, contenders: WITH_RSYNC },
  { name: "rename", change: RENAMING, contenders: WITH_RSYNC },
  { name: "copied", change: COPYING, contenders: WITH_RSYNC },
  { name: "dump", change: DUMP, contenders: WITH_REPOSITORIES },
  { name: "recent-dump", change: RECENT_DUMP, contenders: WITH_REPOSITORIES },
  { name: "tar", change: TAR, contenders: WITH_REPOSITORIES },
  { name: "image", change: IMAGE, contenders: WITH_REPOSITORIES },
  { name: "versions", change: VERSIONS, contenders: WITH_RSYNC },
  { name: "loopback", ...FAST, link: "loopback" },
  { name: "unlimited", ...FAST, link: "none" },
  { name: "gigabit", ...FAST, link: 1000 },
  { name: "other", change: REWRITTEN, contenders: ["off", "auto"] },
  { name: "other-unlimited", change: REWRITTEN, contenders: ["off", "auto"], link: "none" },
  { name: "other-gigabit", change: REWRITTEN, contenders: ["off", "auto"], link: 1000 },
  { name: "sparse", change: SPARSE, contenders: ["off", "on"], bytes: 100 * GIB, link: "none", sinks: 1, ...LONG },
  { name: "dense", change: PAGES, contenders: WITH_RSYNC, bytes: 8 * GIB, link: "none", sinks: 1, ...LONG },
  { name: "day", change: PAGES, contenders: ["rsync", "auto"], bytes: 5e9, mbits: 50, ...LONG },
];
