import { closeSync, fstatSync, openSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { CLOCK_STEP_MS, settledStat } from "../../../src/source/read/settled-stat.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { readTree } from "../../helpers/trees/read-tree.ts";

/** A file whose last change is `ageMs` ago; what it is found to be, and for how long that was waited for. */
function lookAt(ageMs: number, meanwhile = (_path: string): void => undefined) {
  const path = join(tempFolder(), "file");
  writeFileSync(path, "content");
  const fd = openSync(path, "r");
  try {
    const changedMs = Number(fstatSync(fd, { bigint: true }).ctimeMs);
    const pauses: number[] = [];
    const stats = settledStat(
      fd,
      () => changedMs + ageMs,
      (ms) => {
        pauses.push(ms);
        meanwhile(path);
      },
    );
    return { size: Number(stats.size), pauses };
  } finally {
    closeSync(fd);
  }
}

describe("settledStat()", () => {
  test("looks again, a step of the clock later, at a file that was changed a moment ago", () => {
    expect(lookAt(5, (path) => writeFileSync(path, "longer content"))).toEqual({
      size: 14,
      pauses: [CLOCK_STEP_MS - 4],
    });
  });

  test.each([CLOCK_STEP_MS + 1, 1e9, -1000])("waits for nothing when the change is %i ms ago", (ageMs) => {
    expect(lookAt(ageMs)).toEqual({ size: 7, pauses: [] });
  });
});

test("a file is read when its next change will show", () => {
  const root = tempFolder();
  writeFileSync(join(root, "file"), "content");
  expect(readTree(root).states).toEqual(["delivered"]);
  const readMs = systemClock.date().getTime();
  expect(readMs - Math.floor(statSync(join(root, "file")).ctimeMs)).toBeGreaterThan(CLOCK_STEP_MS);
});
