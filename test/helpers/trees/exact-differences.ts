import { lstatSync, readlinkSync } from "node:fs";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { escapeName } from "../../../src/lib/escape-name.ts";
import { at, OWN_FOLDER, pathsIn } from "./tree-differences.ts";

/** What is compared of each entry. */
export type Aspect =
  | "kind"
  | "mode"
  | "owner"
  | "time"
  | "target"
  | "device"
  | "attributes"
  | "room"
  | "hard links"
  | "other names";

export interface ExactOptions {
  readonly excludes?: readonly string[];
  /** What is not compared. */
  readonly but?: readonly Aspect[];
}

type Facts = Readonly<Partial<Record<Aspect, string>>>;
interface Look {
  readonly facts: Facts;
  readonly inode: string;
  readonly isDirectory: boolean;
  readonly names: number;
  readonly blocks: number;
}

/** What ext4 may take besides, in units of 512 bytes, to find data that was written in several pieces. */
const MAP_BLOCKS = 8;

/**
 * Where two trees differ in what rsync rounds or does not see: times of every kind of entry in nanoseconds, which names are one
 * inode, owner numbers, device numbers, extended attributes with access control lists, and room on the disk. Content is not
 * compared. One line each, by escaped path.
 */
export function exactDifferences(source: string, copy: string, options: ExactOptions = {}): string[] {
  const { excludes = [], but = [] } = options;
  const left = looks(source, excludes);
  const right = looks(copy, excludes);
  const differences: string[] = [];
  const say = (name: string, what: string) => differences.push(`${escapeName(Buffer.from(name, "latin1"))}: ${what}`);
  const pairs = new Map<string, string>();
  const partners = new Map<string, string>();
  const namesFound = new Map<string, number>();
  for (const { inode } of right.values()) namesFound.set(inode, (namesFound.get(inode) ?? 0) + 1);
  for (const name of right.keys()) if (!left.has(name)) say(name, "not in the source");
  for (const [name, from] of left) {
    const to = right.get(name);
    if (to === undefined) {
      say(name, "missing");
      continue;
    }
    for (const aspect of Object.keys({ ...from.facts, ...to.facts }) as Aspect[]) {
      const [wanted, found] = [from.facts[aspect], to.facts[aspect]];
      if (wanted !== found && !but.includes(aspect)) say(name, `${aspect} ${found}, at the source ${wanted}`);
    }
    if (!but.includes("room") && !from.isDirectory && to.blocks > from.blocks + MAP_BLOCKS)
      say(name, `room ${to.blocks}, at the source ${from.blocks}`);
    if (but.includes("hard links") || from.isDirectory) continue;
    const isOther =
      (pairs.get(from.inode) ?? to.inode) !== to.inode || (partners.get(to.inode) ?? from.inode) !== from.inode;
    pairs.set(from.inode, to.inode);
    partners.set(to.inode, from.inode);
    if (isOther) say(name, "hard links: one inode at one side, several at the other");
    if (!but.includes("other names") && to.names !== namesFound.get(to.inode))
      say(name, "hard links: it has a name outside of the copy");
  }
  return differences;
}

function looks(root: string, excludes: readonly string[]): Map<string, Look> {
  const paths = pathsIn(root, [OWN_FOLDER, ...excludes]);
  return new Map(paths.map((path) => [path.toString("latin1"), lookAt(at(root, path))]));
}

function lookAt(path: Buffer): Look {
  const stats = lstatSync(path, { bigint: true });
  const type = Number(stats.mode) & 0o170000;
  const isNode = stats.isCharacterDevice() || stats.isBlockDevice();
  return {
    facts: {
      kind: type.toString(8),
      mode: (Number(stats.mode) & 0o7777).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      time: `${stats.mtimeNs}`,
      attributes: attributesOf(path),
      ...(stats.isSymbolicLink() ? { target: readlinkSync(path, { encoding: "buffer" }).toString("latin1") } : {}),
      ...(isNode ? { device: `${stats.rdev}` } : {}),
    },
    inode: `${stats.dev} ${stats.ino}`,
    isDirectory: stats.isDirectory(),
    names: Number(stats.nlink),
    blocks: Number(stats.blocks),
  };
}

/** Names and values of them all; nothing where the tests' own system cannot tell. */
function attributesOf(path: Buffer): string {
  const native = loadNative();
  if (native === undefined) return "";
  const named = native.listAttributes(path).map((name) => {
    return `${escapeName(name)}=${native.getAttribute(path, name)?.toString("hex") ?? ""}`;
  });
  return named.sort().join(" ");
}
