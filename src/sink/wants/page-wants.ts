import { setBit } from "../../lib/bits.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { spared } from "../disk/entry-problem.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { hashBeginning } from "../disk/read-content.ts";
import type { Root } from "../disk/root.ts";
import { isSameTime } from "../metadata/time-scale.ts";
import type { IsDoubted } from "../own/partial-files.ts";

export type WantMessage = Extract<UpMessage, { type: "want" }>;

/** What files of a page are compared with, and how. */
export interface CompareOptions {
  readonly root: Root;
  readonly isDoubted: IsDoubted;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
}

export interface Judgement {
  readonly want: WantMessage;
  /** Files that are wanted: one bit an entry, least significant bit first; undefined: all. */
  readonly bits: Uint8Array | undefined;
  readonly filesUnchanged: number;
  readonly bytesUnchanged: number;
}

/**
 * The answer to a page. `isHere` says of each file whether its content is already here. Undefined means that it is neither
 * here nor wanted.
 */
export function judgePage(rows: PageRows, isHere: (index: number) => boolean | undefined): Judgement {
  const bits = new Uint8Array(Math.ceil(rows.count / 8));
  let [files, wanted, filesUnchanged, bytesUnchanged] = [0, 0, 0, 0];
  for (let index = 0; index < rows.count; index += 1) {
    if (!rows.isFile(index)) continue;
    files += 1;
    const here = isHere(index);
    if (here === true) {
      filesUnchanged += 1;
      bytesUnchanged = sumBytes(bytesUnchanged, rows.size(index));
    } else if (here === false) {
      wanted += 1;
      setBit(bits, index);
    }
  }
  const want = {
    type: "want" as const,
    page: rows.page,
    want: wanted === 0 ? ("none" as const) : wanted === files ? ("all" as const) : { bits: base64(bits) },
  };
  return { want, bits: wanted === files ? undefined : bits, filesUnchanged, bytesUnchanged };
}

/** The regular file under the entry's name. What cannot be looked at is wanted, and will say why when it is written. */
export function lookFor(root: Root, entry: FileEntry): FileFacts | undefined {
  if (root.isFresh(entry.directory)) return undefined;
  return spared(() => root.look(entry.directory, entry.name));
}

/** Whether the file that stands there needs none of the entry's content [P-9.1], mode and time set aside. Changes nothing. */
export function isUnchanged(entry: FileEntry, own: FileFacts, comparison: CompareOptions): boolean {
  const { root } = comparison;
  if (own.size !== entry.size) return false;
  if (entry.hash !== undefined) return hasContent(entry, entry.hash, comparison);
  if (!root.keeps.times || !hasTime(root, entry, own)) return false;
  return !comparison.isDoubted(own.ctimeMs) && !root.damage.has(entry);
}

/** Whether a file that was taken as unchanged still is what it was taken for. */
export function isStillHere(root: Root, entry: FileEntry): boolean {
  const own = spared(() => root.look(entry.directory, entry.name));
  return own !== undefined && own.size === entry.size && (!root.keeps.times || hasTime(root, entry, own));
}

function hasTime({ metadata }: Root, entry: FileEntry, own: FileFacts): boolean {
  return isSameTime(metadata.traits.scale, own.mtimeNs, entry.mtime);
}

/** Whether the file that stands there has this content: it is read. */
export function hasContent(
  entry: FileEntry,
  hash: Uint8Array,
  comparison: Pick<CompareOptions, "root" | "onBusy">,
): boolean {
  using file = spared(() => comparison.root.openFile(entry.directory, entry.name));
  if (file === undefined) return false;
  const found = hashBeginning(file.fd, entry.size, comparison)?.digest();
  return found !== undefined && Buffer.compare(found, hash) === 0;
}

function base64(bits: Uint8Array): string {
  return Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength).toString("base64");
}
