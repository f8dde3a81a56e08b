import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import { DELTA_FILE_BYTES_MIN } from "../../../src/protocol/limits.ts";
import { noise } from "../../delta/recipes.ts";
import { AS_LISTED, dataFrame, file, finalOf, HandSource, rootEntry, TIME } from "../../helpers/copies/hand-source.ts";
import { type OpenEngineOptions, openEngine } from "../../helpers/copies/open-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const LOG_BYTES = DELTA_FILE_BYTES_MIN - 1;

/** A copy of logs, the newest first. Those of which the sink says that it has them do not come. Returns how many that were. */
function copyLogs(folder: string, logs: readonly Buffer[], first: number, options: OpenEngineOptions = {}): number {
  using sink = openEngine(folder, options);
  const source = new HandSource();
  const entries = logs.map((bytes, index): Entry => {
    const mtime = { seconds: TIME.seconds - index + first, nanoseconds: 0 };
    return { ...file(`log.${String(index).padStart(2, "0")}`, bytes.length), mtime };
  });
  const { payload, page } = source.page([rootEntry, ...entries]);
  sink.accept(payload);
  const bits = Buffer.from(sink.wants[0]?.same?.bits ?? "", "base64");
  let same = 0;
  const finals = logs.map((bytes, index) => {
    const entry = index + 1;
    const listed = entries[index];
    const final = { ...finalOf(bytes), mtime: listed?.kind === "file" ? listed.mtime : TIME };
    const isSame = ((bits[entry >> 3] ?? 0) >> (entry & 7)) % 2 === 1;
    same += isSame ? 1 : 0;
    const chunks: { entry: number; offset: number; bytes: Buffer }[] = [];
    if (!isSame) chunks.push({ entry, offset: 0, bytes });
    sink.accept(dataFrame(chunks, [{ entry, final }]));
    return final;
  });
  sink.accept(source.trailer(page, [AS_LISTED, ...finals.map((final) => ({ state: "delivered" as const, final }))]));
  sink.accept(source.end());
  expect(sink.problems).toEqual([]);
  sink.prove();
  logs.forEach((bytes, index) => {
    expect(readFileSync(join(folder, `log.${String(index).padStart(2, "0")}`)).equals(bytes)).toBe(true);
  });
  expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
  return same;
}

const logsOf = (count: number, seed: number, bytes = LOG_BYTES): Buffer[] =>
  Array.from({ length: count }, (_, index) => noise(seed + index, bytes - index));

test.skipIf(!smallDisksAvailable())("logs that have turned do not fill the disk of a sink", () => {
  using disk = mountSmallDisk(join(tempFolder(), "disk"), 24);
  const logs = logsOf(14, 1);
  copyLogs(disk.path, logs, 0);
  const turned = [noise(100, 10), ...logs];
  // The last of them is new under its name.
  expect(copyLogs(disk.path, turned, 1)).toBe(1);
});

test("logs that have turned are made of each other, while the disk has room to spare", () => {
  for (const [freeMib, same] of [
    [1024, 15],
    [64, 1],
  ] as const) {
    const folder = tempFolder();
    const logs = logsOf(15, 1, 5000);
    copyLogs(folder, logs, 0);
    const freeBytes = () => freeMib * 2 ** 20;
    expect(copyLogs(folder, [noise(100, 10), ...logs], 1, { freeBytes })).toBe(same);
  }
});

test("small files that are looked up tell that the silence has a reason, also when they lead to nothing", () => {
  for (const isDamaged of [false, true]) {
    const folder = tempFolder();
    const logs = logsOf(70, 1, 300);
    copyLogs(folder, logs, 0);
    let busy = 0;
    const renamed = logs.map((bytes, index): Entry => {
      const mtime = { seconds: TIME.seconds - index, nanoseconds: 0 };
      return { ...file(`other.${index}`, bytes.length), mtime };
    });
    if (isDamaged)
      for (const name of readdirSync(folder))
        if (name.startsWith("log"))
          writeFileSync(join(folder, name), noise(999, readFileSync(join(folder, name)).length));
    using sink = openEngine(folder, { onBusy: () => (busy += 1) });
    sink.accept(new HandSource().page([rootEntry, ...renamed]).payload);
    expect(sink.wants[0]?.same === undefined).toBe(isDamaged);
    // Once for the page of the manifest.
    expect(busy).toBeGreaterThanOrEqual(3);
  }
});
