import type { CopyProgress, Problem } from "./progress.ts";

/** What a digest is of. */
export interface DigestCounts {
  files: number;
  directories: number;
  symlinks: number;
  /** Further names of files, links, FIFOs and devices. */
  hardlinks: number;
  /** FIFOs and devices. */
  specials: number;
  /** Of the files. */
  bytes: number;
}

/** What the making of a digest finds, in order. `type` says which; `finished` is the last one. */
export type DigestEvent =
  | { readonly type: "reading"; readonly folder: string }
  | { readonly type: "warning"; readonly code: string; readonly message: string }
  | { readonly type: "progress"; readonly progress: CopyProgress }
  /** A file was read; only when asked for. */
  | { readonly type: "file"; readonly path: string; readonly bytes: number }
  /** An entry could not be read: the digest says so, and is not that of a whole tree. */
  | { readonly type: "problem"; readonly problem: Problem }
  | {
      readonly type: "finished";
      /** Of the tree, in hex. */
      readonly digest: string;
      readonly counts: Readonly<DigestCounts>;
      readonly problemCount: number;
      /** Entries that were left out, by kind. */
      readonly notCarried: Readonly<Record<string, number>>;
      readonly elapsedMs: number;
    };
