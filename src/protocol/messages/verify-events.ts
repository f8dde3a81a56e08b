import type { CopyProgress } from "./progress.ts";

/** What stands in a folder and is not in its manifest. */
type ExtraKind = "file" | "directory" | "symlink" | "fifo" | "device" | "socket";
/** How an entry of a folder is not what its manifest says. */
export const DIFFERENCE_KINDS = [
  "content",
  "size",
  "type",
  "mode",
  "time",
  "owner",
  "attributes",
  "acl",
  "device",
  "target",
  "link",
  "missing",
  "unreadable",
] as const;
/** One of them. */
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** An entry of the folder that is not as it was copied. */
export interface Difference {
  /** Escaped path relative to the folder. */
  readonly path: string;
  /** In what it differs. */
  readonly kinds: readonly DifferenceKind[];
  /** A sentence that begins with "it". */
  readonly message: string;
}

/** What was compared, and what came of it. */
export interface VerifyCounts {
  /** Regular files that were compared. */
  files: number;
  /** Directories that were compared. */
  directories: number;
  /** Symbolic links that were compared. */
  symlinks: number;
  /** Further names of files, links, FIFOs and devices. */
  hardlinks: number;
  /** FIFOs and devices. */
  specials: number;
  /** Of the files, as the manifest says. */
  bytes: number;
  /** Files whose content hash is known. */
  filesByContent: number;
  /** The other files: compared by size and time alone. */
  filesByTime: number;
  /** Entries that are there, but not as they should be. */
  differing: number;
  /** Entries that are not there. */
  missing: number;
  /** Entries that are not in the manifest; what is inside of an extra directory is not counted. */
  extra: number;
  /** Entries of the source that were not brought into the copy: nothing is known of what stands in their places. */
  notCarried: number;
}

/** What a comparison of a folder finds, in order. `type` says which; `finished` is the last one. */
export type VerifyEvent =
  /** The manifest is there. */
  | {
      readonly type: "verifying";
      /** That is compared. */
      readonly folder: string;
      /** The snapshot of it that is compared, where it keeps them. */
      readonly snapshot?: string;
      /** Name of the session that filled it. */
      readonly session: string;
      /** When the copy began that the manifest tells of. */
      readonly copiedAt: string;
      /** Of the tree of that copy, in hex. */
      readonly digest: string;
    }
  /** Something that a person should know. */
  | {
      readonly type: "warning";
      /** A word for programs. */
      readonly code: string;
      /** A sentence for people. */
      readonly message: string;
    }
  /** Several times a second. */
  | {
      readonly type: "progress";
      /** What was compared, of what the manifest has. */
      readonly progress: CopyProgress;
    }
  /** A file is as it should be; only when asked for. */
  | {
      readonly type: "file";
      /** Escaped, relative to the folder. */
      readonly path: string;
      /** Of its content. */
      readonly bytes: number;
    }
  /** An entry is not as it was copied. */
  | {
      readonly type: "difference";
      /** Which entry, and in what. */
      readonly difference: Difference;
    }
  /** An entry is in the folder and not in the copy. */
  | {
      readonly type: "extra";
      /** Escaped, relative to the folder. */
      readonly path: string;
      /** What it is. */
      readonly kind: ExtraKind;
    }
  /** Everything is compared. */
  | {
      readonly type: "finished";
      /** Whether anything differs. */
      readonly result: "equal" | "differs";
      /** What was compared, and what came of it. */
      readonly counts: Readonly<VerifyCounts>;
      /** Files whose content is damaged, as the folder remembers: the next copy wants them, whatever their size and time. */
      readonly wanted: number | "all";
      /** Entries that differ or are missing in older snapshots: no copy mends them. Absent: none. */
      readonly older?: number;
      /** Since its start, in milliseconds. */
      readonly elapsedMs: number;
    };
