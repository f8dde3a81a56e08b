import { constants } from "node:fs";
import { endianness } from "node:os";
import { splitDevice } from "../../../src/lib/disk/device-numbers.ts";
import { EntryStats, type Moment } from "../../../src/lib/disk/entry-stats.ts";
import type { NativeName } from "../../../src/lib/disk/native-calls.ts";
import type { TakenName } from "../../../src/lib/disk/taken-name.ts";
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
const SECOND_NS = 1_000_000_000n;
const LONG_AGO: Moment = [1_600_000_000, 0];

/** A file of this name, with what else is to be told of it. */
export function paperFile(name: string | Uint8Array, more: Partial<PaperEntry> = {}): PaperEntry {
  return { name: Buffer.from(name), mode: S_IFREG | 0o644, ...more };
}

interface PaperOptions {
  readonly root?: string;
  /** Whether the calls answer that fill memory that is there already. */
  readonly isQuick?: boolean;
}

/** A source's folder whose file system has these entries in its root: everything above the calls of the system is real. */
export function paperFolder(entries: readonly PaperEntry[], options: PaperOptions = {}): TreeFolder {
  const { root = tempFolder(), isQuick = true } = options;
  const byName = new Map(entries.map((entry) => [keyOf(entry.name), entry]));
  const find = (place: unknown): PaperEntry | undefined => byName.get(keyOf((place as NativeName).name));
  return TreeFolder.open(Buffer.from(root), {
    native: {
      ...needNative(),
      moreNames: undefined,
      *readNames() {
        yield entries.map(({ name }) => Buffer.from(name));
      },
      lookName: () => false,
      lookTaken(_, taken, into) {
        const entry = isQuick ? find({ name: nameOf(taken) }) : undefined;
        if (entry !== undefined) putStats(statsOf(entry), into.bytes);
        return entry !== undefined;
      },
      attributesTaken: (_, taken) => {
        const names = find({ name: nameOf(taken) })?.attributes ?? [];
        return names.reduce((sum, { name }) => sum + name.length + 1, 0);
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

/** As `statx` does. */
function putStats(stats: EntryStats, into: Uint8Array): void {
  const view = new DataView(into.fill(0).buffer);
  const isLittle = endianness() === "LE";
  const word = (index: number, value: number): void => view.setUint32(4 * index, value, isLittle);
  const long = (index: number, value: bigint): void => view.setBigInt64(8 * index, value, isLittle);
  const time = (index: number, ns: bigint): void => {
    const above = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
    long(index, (ns - above) / SECOND_NS);
    word(2 * index + 2, Number(above));
  };
  word(4, stats.nlink);
  word(5, stats.uid);
  word(6, stats.gid);
  view.setUint16(28, stats.mode, isLittle);
  long(4, stats.ino);
  long(5, BigInt(stats.size));
  long(6, BigInt(stats.blocks));
  time(12, stats.ctimeNs);
  time(14, stats.mtimeNs);
  const { major, minor } = splitDevice(stats.dev);
  word(34, major);
  word(35, minor);
}

function nameOf({ bytes, length }: TakenName): Uint8Array {
  return bytes.subarray(0, length);
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name).toString("latin1");
}
