import { constants } from "node:fs";
import { EntryStats, type Moment } from "../../../src/lib/disk/entry-stats.ts";
import type { NativeName } from "../../../src/lib/disk/native-calls.ts";
import type { Attribute } from "../../../src/protocol/frame/attribute-names.ts";
import { TreeFolder } from "../../../src/source/disk/tree-folder.ts";
import { needNative } from "../trees/every-kind-tree.ts";
import { tempFolder } from "./temp-folder.ts";

/** What a file system says of an entry, whether or not any real one would. */
export interface PaperEntry {
  readonly name: Uint8Array;
  /** With its type. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly blocks?: number;
  readonly nlink?: number;
  readonly rdev?: bigint;
  readonly modified?: Moment;
  readonly attributes?: readonly Attribute[];
}

const { S_IFREG } = constants;
const LONG_AGO: Moment = [1_600_000_000, 0];

/** A file of this name, with what else is to be told of it. */
export function paperFile(name: string | Uint8Array, more: Partial<PaperEntry> = {}): PaperEntry {
  return { name: Buffer.from(name), mode: S_IFREG | 0o644, ...more };
}

/** A source's folder whose file system has these entries in its root: everything above the calls of the system is real. */
export function paperFolder(entries: readonly PaperEntry[], root = tempFolder()): TreeFolder {
  const byName = new Map(entries.map((entry) => [keyOf(entry.name), entry]));
  const find = (place: unknown): PaperEntry | undefined => byName.get(keyOf((place as NativeName).name));
  return TreeFolder.open(Buffer.from(root), {
    native: {
      ...needNative(),
      *readNames() {
        yield entries.map(({ name }) => Buffer.from(name));
      },
      statName: (place) => {
        const entry = find(place);
        return entry === undefined ? undefined : statsOf(entry);
      },
      listAttributes: (place) => (find(place)?.attributes ?? []).map(({ name }) => Buffer.from(name)),
      getAttribute: (place, name) => {
        const found = find(place)?.attributes?.find((attribute) => keyOf(attribute.name) === keyOf(name));
        return found === undefined ? undefined : Buffer.from(found.value);
      },
    },
  });
}

function statsOf(entry: PaperEntry): EntryStats {
  const { mode, uid = 0, gid = 0, size = 0, blocks = Math.ceil(size / 512), nlink = 1, rdev = 0n } = entry;
  const { modified = LONG_AGO } = entry;
  return new EntryStats({ dev: 1n, ino: 1n, rdev, mode, nlink, uid, gid, size, blocks, modified, changed: LONG_AGO });
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name).toString("latin1");
}
