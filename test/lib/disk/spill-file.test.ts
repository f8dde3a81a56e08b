import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";

describe("SpillFile", () => {
  test("gives back every record, in any order, while more are added", () => {
    using spill = SpillFile.open(tempFolder());
    const records = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 });
    fc.assert(
      fc.property(records, fc.infiniteStream(fc.nat()), (contents, order) => {
        const places = contents.map((bytes) => spill.append(bytes));
        for (const _ of contents) {
          const index = (order.next().value ?? 0) % contents.length;
          const place = places[index];
          if (place !== undefined) expect(new Uint8Array(spill.read(place))).toEqual(contents[index]);
        }
      }),
    );
  });

  test("has no name, so that nothing stays behind however the process ends", () => {
    const folder = tempFolder();
    using spill = SpillFile.open(folder);
    spill.append(Buffer.from("secret"));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("refuses to read what was never written", () => {
    using spill = SpillFile.open(tempFolder());
    const { length } = spill.append(Buffer.from("four"));
    expect(thrownCode(() => spill.read({ offset: 2, length }))).toBe("disk-failed");
  });

  test("is closed once and is then of no use, and says where it could not be made", () => {
    const spill = SpillFile.open(tempFolder());
    spill[Symbol.dispose]();
    spill[Symbol.dispose]();
    expect(thrownCode(() => spill.append(Buffer.from("late")))).toBe("disk-failed");
    const missing = join(tempFolder(), "missing");
    expect(() => SpillFile.open(missing)).toThrow(
      expect.objectContaining({ code: "disk-failed", message: expect.stringContaining(missing) }),
    );
  });
});
