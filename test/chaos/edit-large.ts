import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SeededRandom } from "../helpers/seeded-random.ts";
import { content } from "../helpers/trees/tree.ts";

const PAGE_BYTES = 4096;
const PAGES_MAX = 60;
const PART_BYTES_MAX = 1_500_000;

/** Changes all large files of a tree, each in another way. Returns by how many bytes the tree has grown. */
export function editLarge(root: string, random: SeededRandom): number {
  let grown = 0;
  for (const name of readdirSync(root).filter((each) => each.startsWith("large-"))) {
    const path = join(root, name);
    const before = readFileSync(path);
    const after = edited(before, random);
    writeFileSync(path, after);
    grown += after.length - before.length;
  }
  return grown;
}

function edited(before: Buffer, random: SeededRandom): Buffer {
  const at = random.between(0, before.length);
  const part = content(random.between(1, PART_BYTES_MAX), random.between(1, 1_000_000));
  switch (random.pick(["pages", "insert", "cut", "append", "move"] as const)) {
    case "pages":
      return pagesOverwritten(before, random);
    case "insert":
      return Buffer.concat([before.subarray(0, at), part, before.subarray(at)]);
    case "cut":
      return Buffer.concat([before.subarray(0, at), before.subarray(Math.min(before.length, at + part.length))]);
    case "append":
      return Buffer.concat([before, part]);
    default:
      // What was behind is before.
      return Buffer.concat([before.subarray(at), part, before.subarray(0, at)]);
  }
}

function pagesOverwritten(before: Buffer, random: SeededRandom): Buffer {
  const after = Buffer.from(before);
  for (let pages = random.between(1, PAGES_MAX); pages > 0; pages -= 1) {
    const page = content(PAGE_BYTES, random.between(1, 1_000_000));
    page.copy(after, Math.floor(random.between(0, before.length - 1) / PAGE_BYTES) * PAGE_BYTES);
  }
  return after;
}
