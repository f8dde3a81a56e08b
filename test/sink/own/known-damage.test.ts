import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { systemRandom } from "../../../src/lib/random.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { DAMAGE_PATHS_MAX, KnownDamage, removeDamageDrafts } from "../../../src/sink/own/known-damage.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

let folder = "";
beforeEach(() => {
  folder = tempFolder();
  mkdirSync(join(folder, ".fanfold"));
});

const file = () => join(folder, ".fanfold/damage");
/** A name of any bytes, in a directory of any bytes. */
const odd = (number: number) => ({ directory: Buffer.from([0x61, 0xff]), name: Buffer.from([0x0a, 0x22, number]) });
const plain = (name: string) => ({ directory: Buffer.alloc(0), name: Buffer.from(name) });

function saved(change: (damage: KnownDamage) => void): KnownDamage {
  using root = Root.open(Buffer.from(folder));
  const damage = KnownDamage.read(root);
  change(damage);
  damage.save(root, systemRandom);
  return KnownDamage.read(root);
}

describe("what a folder knows of its damaged files", () => {
  test("is nothing where no check found any, and then there is no file", () => {
    const damage = saved(() => undefined);
    expect([damage.isEmpty, damage.files, damage.has(plain("a")), existsSync(file())]).toEqual([true, 0, false, false]);
  });

  test("lasts until each is mended, whatever bytes are in its path", () => {
    const two = saved((damage) => {
      for (const place of [odd(1), odd(200), odd(1)]) damage.add(place);
    });
    expect([two.files, two.has(odd(1)), two.has(odd(200)), two.has(odd(2))]).toEqual([2, true, true, false]);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const one = saved((damage) => damage.mend(odd(1)));
    expect([one.files, one.has(odd(1)), one.has(odd(200))]).toEqual([1, false, true]);
    expect(saved((damage) => damage.mend(odd(200))).isEmpty).toBe(true);
    expect(readdirSync(join(folder, ".fanfold"))).toEqual([]);
  });

  test.each([
    ["is cut off", () => writeFileSync(file(), readFileSync(file()).subarray(0, 20))],
    ["is of another kind", () => writeFileSync(file(), "[]")],
  ])("may be any file when the list %s: all are doubted until all were looked at", (_, spoil) => {
    saved((damage) => damage.add(plain("a")));
    spoil();
    const all = saved(() => undefined);
    expect([all.files, all.has(plain("a")), all.has(plain("b"))]).toEqual(["all", true, true]);
    const some = saved((damage) => {
      damage.add(plain("b"));
      damage.lookedAtAll();
    });
    expect([some.files, some.has(plain("a")), some.has(plain("b"))]).toEqual([1, false, true]);
  });

  test("is everything when there is more than can be remembered, also when all was looked at", () => {
    const many = (count: number) => (damage: KnownDamage) => {
      for (let index = 0; index < count; index += 1) damage.add(plain(`${index}`));
      damage.lookedAtAll();
    };
    expect(saved(many(DAMAGE_PATHS_MAX)).files).toBe(DAMAGE_PATHS_MAX);
    const all = saved(many(DAMAGE_PATHS_MAX + 1));
    expect([all.files, all.has(plain("any"))]).toEqual(["all", true]);
    // Long names fill it sooner.
    const long = (index: number) => ({ directory: Buffer.alloc(4000, "d"), name: Buffer.from(`${index}`) });
    expect(saved((damage) => Array.from({ length: 1000 }, (_, index) => damage.add(long(index)))).files).toBe("all");
  });

  test("is written to a separate file, and the next copy removes only what a killed check left of it", () => {
    for (const name of ["damage.0123abcd.new", "damage.0123.new", "facts"])
      writeFileSync(join(folder, ".fanfold", name), "");
    using root = Root.open(Buffer.from(folder));
    removeDamageDrafts(root);
    expect(readdirSync(join(folder, ".fanfold")).toSorted()).toEqual(["damage.0123.new", "facts"]);
  });
});
