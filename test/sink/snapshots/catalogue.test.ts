import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Directories } from "../../../src/lib/disk/directories.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { readCatalogue } from "../../../src/sink/snapshots/catalogue.ts";
import { decodeSnapshotFacts } from "../../../src/sink/snapshots/snapshot-facts.ts";
import { addHandSnapshot, factsFolder, handFacts } from "../../helpers/copies/hand-snapshots.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrown } from "../../helpers/thrown.ts";

const [MONDAY, TUESDAY] = ["2026-11-23T02-30-00Z", "2026-11-24T02-30-00Z"] as const;

function opened(folder: string): Directories {
  const directories = Directories.open(Buffer.from(folder), process.platform);
  onTestFinished(() => directories[Symbol.dispose]());
  return directories;
}

describe("the catalogue of a folder's snapshots", () => {
  test("has each one with its facts, the oldest first, and nothing else", () => {
    const folder = tempFolder();
    addHandSnapshot(folder, TUESDAY, { files: 3, bytes: 10 });
    addHandSnapshot(folder, MONDAY);
    mkdirSync(join(folder, "notes"));
    writeFileSync(join(folder, "2026-11-25T02-30-00Z"), "a file");
    symlinkSync(MONDAY, join(folder, "2026-11-26T02-30-00Z"));
    expect(readCatalogue(opened(folder))).toEqual([
      { name: MONDAY, isAside: false, timeMs: Date.UTC(2026, 10, 23, 2, 30), facts: handFacts(MONDAY) },
      {
        name: TUESDAY,
        isAside: false,
        timeMs: Date.UTC(2026, 10, 24, 2, 30),
        facts: handFacts(TUESDAY, { files: 3, bytes: 10 }),
      },
    ]);
  });

  test("is empty for a folder that never had one", () => {
    expect(readCatalogue(opened(tempFolder()))).toEqual([]);
  });

  test("leaves out a snapshot whose tree never came to its place", () => {
    const folder = tempFolder();
    addHandSnapshot(folder, MONDAY);
    rmSync(join(folder, MONDAY), { recursive: true });
    expect(readCatalogue(opened(folder))).toEqual([]);
  });

  const SPOILT: Readonly<Record<string, (facts: string) => void>> = {
    "is missing": (facts) => rmSync(facts, { recursive: true }),
    "is missing, or is no file": (facts) => {
      rmSync(join(facts, "snapshot.json"));
      mkdirSync(join(facts, "snapshot.json"));
    },
    "or is no file that can be read": (facts) => {
      renameSync(facts, `${facts}.elsewhere`);
      symlinkSync(`${facts}.elsewhere`, facts);
    },
    "cut off": (facts) => writeFileSync(join(facts, "snapshot.json"), "{"),
    "has more than 16384 bytes": (facts) => writeFileSync(join(facts, "snapshot.json"), " ".repeat(20_000)),
    "another release wrote it": (facts) =>
      writeFileSync(join(facts, "snapshot.json"), JSON.stringify(handFacts(MONDAY, { version: 2 }))),
    "it is that of 2026-11-24": (facts) =>
      writeFileSync(join(facts, "snapshot.json"), JSON.stringify(handFacts(TUESDAY))),
  };
  test.each(Object.entries(SPOILT))("says of one whose facts cannot be used: %s", (said, spoil) => {
    const folder = tempFolder();
    addHandSnapshot(folder, MONDAY);
    addHandSnapshot(folder, TUESDAY);
    spoil(factsFolder(folder, MONDAY));
    const [monday, tuesday] = readCatalogue(opened(folder));
    expect(monday?.facts).toBeInstanceOf(FanfoldError);
    expect(monday?.facts).toMatchObject({ code: "snapshot-damaged", message: expect.stringContaining(said) });
    expect(tuesday?.facts).toEqual(handFacts(TUESDAY));
    expect(readdirSync(folder)).toContain(MONDAY);
  });
});

describe("the facts of a snapshot", () => {
  test.each([
    ["version", 0],
    ["name", "../../etc"],
    ["files", -1],
    ["files", 1.5],
    ["bytes", 2 ** 60],
    ["digest", "0d"],
    ["digest", "x".repeat(64)],
    ["provenAt", "yesterday"],
    ["provenAt", "2026-02-30T00:00:00Z"],
    ["proofs", 0],
    ["source", null],
    ["source", { name: "n".repeat(300), key: "k" }],
    ["session", ["default"]],
    ["takenAsUnchanged", { files: 0 }],
  ])("are refused when %s is %j", (field, value) => {
    const text = JSON.stringify({ ...handFacts(MONDAY), [field]: value });
    expect(thrown(() => decodeSnapshotFacts(Buffer.from(text), MONDAY))).toMatchObject({
      code: "snapshot-damaged",
      message: expect.stringContaining(field),
    });
  });

  test.each(["[]", "null", "7", '{"__proto__": {}}'])("are refused when they are %s", (text) => {
    expect(thrown(() => decodeSnapshotFacts(Buffer.from(text), MONDAY))).toMatchObject({ code: "snapshot-damaged" });
  });

  test("are refused when they are no UTF-8", () => {
    const bytes = Buffer.from(JSON.stringify(handFacts(MONDAY)).replace("photos", "ph\xffotos"), "latin1");
    expect(thrown(() => decodeSnapshotFacts(bytes, MONDAY))).toMatchObject({ code: "snapshot-damaged" });
  });
});
