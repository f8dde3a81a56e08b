import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../../../src/lib/random.ts";
import type { VerifyReport } from "../../../src/protocol/messages/verification.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { SelfCheck } from "../../../src/sink/verify/self-check.ts";
import { olderText } from "../../../src/words/verify-words.ts";
import { addRealSnapshot } from "../../helpers/copies/hand-snapshots.ts";
import { flipByte, verify } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const [OLD, LATEST, ASIDE] = ["2026-11-28T12-00-00Z", "2026-11-29T12-00-00Z", "2026-11-30T12-00-00Z"];

/** Three snapshots that share nothing. `latest` leads to the one in the middle: the newest was set aside. */
function folderWithAside(): string {
  const base = tempFolder();
  const [source, folder] = [join(base, "source"), join(base, "sink")];
  for (const path of [source, folder]) mkdirSync(path);
  for (const name of ["one", "two"]) {
    writeFileSync(join(source, name), name.repeat(100));
    // Whole seconds: Node can restore them exactly.
    utimesSync(join(source, name), 1_700_000_000, 1_700_000_000);
  }
  utimesSync(source, 1_700_000_000, 1_700_000_000);
  for (const name of [OLD, LATEST, ASIDE]) addRealSnapshot(folder, name, source);
  rmSync(join(folder, "latest"));
  symlinkSync(LATEST, join(folder, "latest"));
  return folder;
}

/** What a sink's own check tells of its folder. */
async function ownReport(path: string, trees: "newest" | "all"): Promise<VerifyReport> {
  using folder = openSinkFolder(path, systemRandom);
  folder.keepSnapshots();
  folder.lend();
  const told = Promise.withResolvers<VerifyReport>();
  await using check = new SelfCheck({
    ...{ folder, everyMs: undefined, plan: undefined },
    ...{ clock: handClock(), signal: new AbortController().signal },
    settled: async () => undefined,
    emit: (event) => {
      if (event.type === "verified") told.resolve(event.report);
    },
  });
  check.begin();
  check.order({ type: "verify", id: "a".repeat(12), trees });
  return await told.promise;
}

describe("a check of a folder in which a snapshot was set aside", () => {
  test("reads the one to which latest leads and the newest one, and sums up what it found", async () => {
    const folder = folderWithAside();
    const { result, events } = await verify(folder, true);
    expect(events.flatMap((event) => (event.type === "verifying" ? [event.snapshot] : []))).toEqual([LATEST, ASIDE]);
    expect(events.filter(({ type }) => type === "finished")).toEqual([result]);
    expect(result).toMatchObject({ result: "equal", counts: { files: 4, bytes: 1200 }, wanted: 0 });
    expect(await ownReport(folder, "newest")).toMatchObject({ result: "equal", trees: 2, files: 4 });
    expect(await ownReport(folder, "all")).toMatchObject({ result: "equal", trees: 3, files: 6 });
  });

  test("finds damage in either, and remembers for the next copy that of the newest one, from which it starts", async () => {
    const folder = folderWithAside();
    flipByte(join(folder, LATEST, "one"), 3);
    expect(await verify(folder)).toMatchObject({
      found: ["content one"],
      result: { result: "differs", wanted: 0, older: 1 },
    });
    expect(await ownReport(folder, "newest")).toMatchObject({
      ...{ result: "differs", differing: 1, wanted: 0, older: 1 },
      problems: [{ snapshot: LATEST, path: "one" }],
    });
    flipByte(join(folder, ASIDE, "two"), 3);
    const both = { counts: { differing: 2 }, wanted: 1, older: 1 };
    expect(await verify(folder)).toMatchObject({ found: ["content one", "content two"], result: both });
  });

  test("damage in an older snapshot is mended by cp, in all that share the file, from one that has it whole", async () => {
    const folder = folderWithAside();
    const at = (snapshot: string) => join(folder, snapshot, "one");
    rmSync(at(OLD));
    linkSync(at(LATEST), at(OLD));
    utimesSync(join(folder, OLD), 1_700_000_000, 1_700_000_000);
    flipByte(at(LATEST), 3);
    const before = await ownReport(folder, "all");
    expect(before).toMatchObject({ differing: 2, older: 2, wanted: 0 });
    expect(olderText(before)).toMatch(
      /^2 damaged entries are in older snapshots, which no copy mends: write them anew/,
    );
    const keepsTimes = process.platform === "linux" ? "--preserve=timestamps" : "-p";
    execFileSync("cp", [keepsTimes, at(ASIDE), at(LATEST)]);
    const after = await ownReport(folder, "all");
    expect(after).toMatchObject({ result: "equal", trees: 3 });
    expect(olderText(after)).toBeUndefined();
  });

  test("reads the newest one alone where latest leads to it, or to nothing", async () => {
    const folder = folderWithAside();
    for (const target of [ASIDE, "2020-01-01T00-00-00Z"]) {
      rmSync(join(folder, "latest"));
      symlinkSync(target, join(folder, "latest"));
      expect((await verify(folder)).result).toMatchObject({ result: "equal", counts: { files: 2 } });
    }
  });
});
