import { chmodSync, closeSync, linkSync, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "../helpers/seeded-random.ts";
import { below, content, ODD_NAMES } from "../helpers/trees/tree.ts";
import type { TreePlan } from "./scenario.ts";

const MIB = 1024 * 1024;
const SECTOR_BYTES = 4096;
const SHARED = content(MIB, 7);

/** Builds the tree of a plan; returns the bytes of its files' content. */
export function makeChaosTree(root: string, plan: TreePlan): number {
  const random = new SeededRandom(plan.seed);
  let bytes = 0;
  let files = 0;
  const write = (path: Buffer, size: number): void => {
    writeDistinct(path, size, files);
    bytes += size;
    files += 1;
  };
  mkdirSync(join(root, "deep/er/and deeper"), { recursive: true });
  for (let index = 0; index < plan.largeFiles; index += 1)
    write(below(root, `large-${index}`), plan.largeMib * MIB + random.between(-70_000, 70_000));
  for (let index = 0; index < plan.mediumFiles; index += 1)
    write(below(join(root, "deep/er"), `medium-${index}`), random.between(10_000, 900_000));
  for (let index = 0; index < plan.smallFiles; index += 1) {
    const folder = join(root, `small-${Math.floor(index / 200)}`);
    if (index % 200 === 0) mkdirSync(folder);
    write(below(folder, `s${index}`), random.chance(0.1) ? 0 : random.between(1, 6_000));
  }
  for (const name of ODD_NAMES.filter(() => random.chance(0.4))) write(below(root, name), random.between(0, 3_000));
  write(below(root, "linked"), 50_000);
  linkSync(join(root, "linked"), join(root, "deep/also linked"));
  bytes += 50_000;
  symlinkSync("../large-0", join(root, "deep/to large"));
  symlinkSync("nowhere", join(root, "dangling"));
  mkdirSync(join(root, "empty directory"), { mode: 0o700 });
  writeFileSync(join(root, "read-only"), "");
  chmodSync(join(root, "read-only"), 0o400);
  return bytes;
}

/** Every 4 KiB names its file and its place: a piece at a wrong place, or of another file, is a difference. */
function writeDistinct(path: Buffer, size: number, file: number): void {
  const fd = openSync(path, "w");
  for (let at = 0; at < size; at += MIB) {
    const piece = SHARED.subarray(0, Math.min(MIB, size - at));
    for (let sector = 0; sector + 8 <= piece.length; sector += SECTOR_BYTES) {
      piece.writeUInt32LE(file, sector);
      piece.writeUInt32LE((at + sector) / SECTOR_BYTES, sector + 4);
    }
    writeSync(fd, piece);
  }
  closeSync(fd);
}
