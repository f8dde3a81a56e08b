import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { type ChangedRows, writeDump } from "./dump.ts";
import { append, copyAll, date, overwritePages, overwriteRuns, writeNoise, writeSparse } from "./files.ts";
import { NoiseTree } from "./tree.ts";

const MIB = 1024 * 1024;
/** Share of a file that changes, where nothing else is said. */
const CHANGED = 0.01;
const ROWS_CHANGED = 0.02;
/** Of a table, where those rows are that are still in use. */
const RECENT_ROWS = 0.1;
const TREE_CHANGED = 0.05;
/** Of an image: the rest is free space, and what the file system needs. */
const IMAGE_FILLED = 0.5;
const INSERTED = { at: MIB, bytes: 100 };
const RUNS = { filled: 0.01, runBytes: 64 * 1024 };

/** The name of the file that changes. */
export const FILE = "file";

/** Folders that are there, and empty. */
export interface VersionFolders {
  readonly source: string;
  /** What copies hold: one for all of them, or one for each. */
  readonly older: readonly string[];
}

/** How a file changed since it was copied. */
export interface Change {
  /** For the table. */
  readonly title: string;
  /** Each copy holds another version, of the same length. */
  readonly hasVersions?: boolean;
  /** Copies are to be made by fanfold's sinks, which remember what they wrote. */
  readonly isRemembered?: boolean;
  /** Of its size, what it takes on a disk. @default 1 */
  readonly filled?: number;
  readonly make: (folders: VersionFolders, bytes: number) => void;
}

export const PAGES: Change = {
  title: "1 % of 4 KiB pages overwritten at random",
  make: inPlace(writeNoise, (file) => overwritePages(file, CHANGED, 1)),
};

export const REWRITTEN: Change = {
  title: "every piece overwritten: copies hold nothing of it",
  make: inPlace(writeNoise, (file) => overwritePages(file, 1, 1)),
};

export const INSERTION: Change = {
  title: "100 bytes inserted near its start",
  make: ({ source, older }, bytes) => {
    for (const folder of older) writeNoise(join(folder, FILE), bytes);
    writeNoise(join(source, FILE), bytes, INSERTED);
    dateAll({ source, older });
  },
};

export const APPENDING: Change = {
  title: "1 MiB appended",
  make: inPlace(writeNoise, (file) => append(file, MIB)),
};

export const RENAMING: Change = {
  title: "renamed, into another directory",
  isRemembered: true,
  make: inside((file, folder) => renameSync(file, join(folder, "renamed"))),
};

export const COPYING: Change = {
  title: "copied within the tree",
  isRemembered: true,
  make: inside((file, folder) => copyAll(file, join(folder, "copied"))),
};

export const VERSIONS: Change = {
  title: "1 % of 4 KiB pages, each copy of another older version",
  hasVersions: true,
  make: ({ source, older }, bytes) => {
    writeNoise(join(source, FILE), bytes);
    for (const [index, folder] of older.entries()) {
      copyAll(join(source, FILE), folder);
      overwritePages(join(folder, FILE), CHANGED, index + 2);
    }
    overwritePages(join(source, FILE), CHANGED, 1);
    dateAll({ source, older });
  },
};

export const DUMP: Change = {
  title: "SQL dump, 2 % of the rows changed, anywhere",
  make: dump({ from: 0, share: ROWS_CHANGED }),
};

export const RECENT_DUMP: Change = {
  title: "SQL dump, 2 % of the rows changed, all in its last tenth",
  make: dump({ from: 1 - RECENT_ROWS, share: ROWS_CHANGED / RECENT_ROWS }),
};

export const TAR: Change = {
  title: "tar of a tree, 5 % of files changed",
  make: ({ source, older: [old = ""] }, bytes) => {
    using tree = new NoiseTree(`${source}.tree`, bytes);
    tree.pack(join(old, FILE));
    tree.change(TREE_CHANGED);
    tree.pack(join(source, FILE));
    dateAll({ source, older: [old] });
  },
};

export const IMAGE: Change = {
  title: "ext4 image, 1 % of files changed in it",
  make: ({ source, older: [old = ""] }, bytes) => {
    using tree = new NoiseTree(`${source}.tree`, bytes * IMAGE_FILLED);
    tree.makeImage(join(old, FILE), bytes);
    copyAll(join(old, FILE), source);
    tree.changeImage(join(source, FILE), CHANGED);
    dateAll({ source, older: [old] });
  },
};

export const SPARSE: Change = {
  title: "sparse, 1 % of it content, 1 % of that changed",
  filled: RUNS.filled,
  make: inPlace(
    (file, bytes) => writeSparse(file, bytes, RUNS),
    (file) => overwriteRuns(file, CHANGED, RUNS),
  ),
};

/** The older version is written once, and the new one is a copy of it that is changed. */
function inPlace(write: (file: string, bytes: number) => void, change: (file: string) => void): Change["make"] {
  return ({ source, older: [old = ""] }, bytes) => {
    write(join(old, FILE), bytes);
    copyAll(join(old, FILE), source);
    change(join(source, FILE));
    dateAll({ source, older: [old] });
  };
}

/** Sinks hold a file, and something is done with the source's into another directory. */
function inside(change: (file: string, folder: string) => void): Change["make"] {
  return ({ source, older: [old = ""] }, bytes) => {
    writeNoise(join(old, FILE), bytes);
    date(join(old, FILE), "old");
    copyAll(join(old, FILE), source);
    mkdirSync(join(source, "inside"));
    change(join(source, FILE), join(source, "inside"));
  };
}

function dump(changed: ChangedRows): Change["make"] {
  return ({ source, older }, bytes) => {
    for (const folder of older) writeDump(join(folder, FILE), bytes);
    writeDump(join(source, FILE), bytes, changed);
    dateAll({ source, older });
  };
}

function dateAll({ source, older }: VersionFolders): void {
  for (const folder of older) date(join(folder, FILE), "old");
  date(join(source, FILE), "new");
}
