import { copyFileSync, lutimesSync, mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { name } from "../arbitraries.ts";
import { makeFileWithHoles } from "./sparse-file.ts";
import { below, content } from "./tree.ts";

/** One entry of an arbitrary small tree. */
export interface TreeItem {
  readonly name: Uint8Array;
  /** `sparse`: a file with a hole before, between and behind two pieces of content. */
  readonly kind: "file" | "sparse" | "directory" | "symlink";
  readonly bytes: number;
  readonly folder: number;
}

const size = fc.oneof(fc.nat({ max: 3_000 }), fc.constantFrom(0, 32_768, 32_769, 65_536), fc.nat({ max: 700_000 }));
const kind = fc.constantFrom<TreeItem["kind"]>("file", "file", "file", "sparse", "directory", "symlink");
/** Up to forty entries in four folders. */
export const tree = fc.uniqueArray(fc.record({ name, kind, bytes: size, folder: fc.nat({ max: 3 }) }), {
  maxLength: 40,
  selector: (item) => `${item.folder}/${Buffer.from(item.name).toString("latin1")}`,
});
function folderOf(root: string, folder: number): string {
  return folder === 0 ? root : join(root, `folder ${folder}`);
}

/** Builds a tree with the same times each time. */
export function makeTree(root: string, items: readonly TreeItem[]): void {
  for (const folder of [1, 2, 3]) mkdirSync(folderOf(root, folder));
  for (const [index, item] of items.entries()) {
    const path = below(folderOf(root, item.folder), item.name);
    if (item.kind === "directory") mkdirSync(path);
    else if (item.kind === "symlink") symlinkSync("to nowhere", path);
    else if (item.kind === "sparse") makeSparse(path, item.bytes, index);
    else writeFileSync(path, content(item.bytes, index));
    if (item.kind === "symlink") lutimesSync(path, 1_000_000 + index, 1_000_000 + index);
    else utimesSync(path, 1_000_000 + index, 1_000_000 + index);
  }
}

function makeSparse(path: Buffer, bytes: number, seed: number): void {
  const made = content(Math.ceil(bytes / 10), seed);
  const places = [bytes * 2, bytes * 5].map((offset) => ({ offset, bytes: made }));
  makeFileWithHoles(path, bytes * 7, places);
}

/** Lays files at a sink as an earlier copy would have: whole and unchanged, or stale ones with another time. */
export function makeBefore(
  root: string,
  options: {
    readonly source: string;
    readonly items: readonly TreeItem[];
    readonly share: number;
    readonly stale: boolean;
  },
): void {
  for (const folder of [1, 2, 3]) mkdirSync(folderOf(root, folder));
  const files = options.items.filter((item) => item.kind === "file" || item.kind === "sparse");
  for (const item of files.slice(0, Math.floor(files.length * options.share))) {
    const to = below(folderOf(root, item.folder), item.name);
    if (options.stale) writeFileSync(to, content(item.bytes, 99));
    else {
      const from = below(folderOf(options.source, item.folder), item.name);
      copyFileSync(from, to);
      utimesSync(to, statSync(from).mtime, statSync(from).mtime);
    }
  }
}
