import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, lstatSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CLONING_DISKS, cloningDiskAvailable, mountCloningDisk } from "../../helpers/disks/cloning-disk.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { ChangingTree } from "../../helpers/trees/changing-tree.ts";
import { makeLongFile } from "../../helpers/trees/tree.ts";
import { pathsIn } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";
import { expectHistory, keepSnapshot, referenceCopy } from "./snapshot-lab.ts";

const MIB = 1024 * 1024;
const LARGE_MIB = 24;
const SESSIONS = 4;

/** Numbers of the regular files of a tree. */
function inodes(tree: string): number[] {
  return pathsIn(tree, [])
    .map((path) => lstatSync(Buffer.concat([Buffer.from(`${tree}/`), path])))
    .filter((stats) => stats.isFile())
    .map(({ ino }) => ino);
}

function usedBytes(path: string): number {
  execFileSync("sync", ["-f", path]);
  const { blocks, bfree, bsize } = statfsSync(path);
  return (blocks - bfree) * bsize;
}

describe.each(CLONING_DISKS)("snapshots on %s", { timeout: E2E_MS }, (kind) => {
  test.skipIf(!cloningDiskAvailable(kind))(
    "share content and no inode, so that an edit touches one alone",
    async () => {
      await using lab = await CliLab.open();
      using disk = mountCloningDisk(lab.folder, kind);
      const [from, folder] = [lab.path("source"), join(disk.path, "sink")];
      const tree = new ChangingTree(join(from, "changing"), new SeededRandom(41));
      const { address } = await lab.coordinator();
      const references = new Map<string, string>();
      makeLongFile(join(from, "large"), LARGE_MIB);
      writeFileSync(join(from, "small"), "as it was");
      const seen = new Set<number>();
      let usedBefore = 0;
      for (let session = 0; session < SESSIONS; session += 1) {
        referenceCopy(from, lab.path(`reference-${session}`));
        const { name } = await keepSnapshot(lab, { address, from, folder });
        references.set(name, lab.path(`reference-${session}`));
        await expectHistory(folder, references);
        const own = new Set(inodes(join(folder, name)));
        expect([...own].filter((inode) => seen.has(inode))).toEqual([]);
        for (const inode of own) seen.add(inode);
        const used = usedBytes(disk.path);
        if (session > 0) expect(used - usedBefore).toBeLessThan((LARGE_MIB / 2) * MIB);
        usedBefore = used;
        tree.change(15);
      }
      const names = [...references.keys()];
      const edited = join(folder, names.at(-1) ?? "", "small");
      appendFileSync(edited, ", and more");
      chmodSync(edited, 0o600);
      for (const name of names.slice(0, -1)) {
        expect(readFileSync(join(folder, name, "small"), "utf8")).toBe("as it was");
        expect(lstatSync(join(folder, name, "small")).mode & 0o777).toBe(0o644);
      }
    },
  );

  test.skipIf(!cloningDiskAvailable(kind))(
    "take little more for an image that is written to in its place",
    async () => {
      await using lab = await CliLab.open();
      using disk = mountCloningDisk(lab.folder, kind);
      const [from, folder] = [lab.path("source"), join(disk.path, "sink")];
      mkdirSync(from);
      makeLongFile(join(from, "image"), LARGE_MIB);
      const { address } = await lab.coordinator();
      const order = { address, from, folder, sourceArgs: ["--delta", "on"] };
      await keepSnapshot(lab, order);
      const usedBefore = usedBytes(disk.path);
      const image = readFileSync(join(from, "image"));
      image.fill(7, 5 * MIB, 6 * MIB);
      writeFileSync(join(from, "image"), image);
      const { name, summary } = await keepSnapshot(lab, order);
      expect(summary.bytesKept).toBe((LARGE_MIB - 1) * MIB);
      expect(usedBytes(disk.path) - usedBefore).toBeLessThan(6 * MIB);
      expect(readFileSync(join(folder, name, "image")).equals(image)).toBe(true);
    },
  );

  test.skipIf(!cloningDiskAvailable(kind))("are none when nothing has changed", async () => {
    await using lab = await CliLab.open();
    using disk = mountCloningDisk(lab.folder, kind);
    const [from, folder] = [lab.path("source"), join(disk.path, "sink")];
    new ChangingTree(from, new SeededRandom(42)).change(30);
    const { address } = await lab.coordinator();
    const { name } = await keepSnapshot(lab, { address, from, folder });
    const again = await keepSnapshot(lab, { address, from, folder });
    expect(again).toMatchObject({ name, made: false, summary: { result: "unchanged" } });
  });
});
