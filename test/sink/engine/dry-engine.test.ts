import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { PAGES_UNANSWERED_MAX } from "../../../src/protocol/limits.ts";
import type { Problem } from "../../../src/protocol/messages/progress.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { DryEngine, type DryRunOutlook } from "../../../src/sink/engine/dry-engine.ts";
import { type Doubts, isDoubted } from "../../../src/sink/own/sync-mark.ts";
import { checkFrame } from "../../../src/sink/stream/checked-frame.ts";
import { PageStore } from "../../../src/sink/stream/page-store.ts";
import { ScopeStore } from "../../../src/sink/stream/scope-store.ts";
import { TreeOrder } from "../../../src/sink/stream/tree-order.ts";
import type { WantMessage } from "../../../src/sink/wants/page-wants.ts";
import { dataFrame, directory, file, HandSource, rootEntry, symlink } from "../../helpers/copies/hand-source.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { inodeFacts } from "../../helpers/trees/inode-facts.ts";

const SECONDS = 1_600_000_000.123456;
const TREE = [rootEntry, directory("parent"), directory("deep"), file("file", 7)];
const INNER = [file("parent/inner", 7), directory("deep/er"), file("deep/er/file", 7)];

/** As an earlier copy left it. */
function place(path: string, text = "content"): void {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  utimesSync(path, SECONDS, SECONDS);
}

function begin(folder: string, doubts: Doubts = []) {
  const root = Root.open(Buffer.from(folder));
  onTestFinished(() => root[Symbol.dispose]());
  const wants: WantMessage[] = [];
  const comparison = { root, isDoubted: (ms: number) => isDoubted(doubts, ms), onBusy: () => undefined };
  const pageStore = new PageStore(SpillFile.open());
  const parts = {
    ...comparison,
    pageStore,
    order: new TreeOrder({ pageStore, random: systemRandom }),
    scope: new ScopeStore(),
    policy: { forbidden: false },
  };
  const outlooks: DryRunOutlook[] = [];
  const problems: Problem[] = [];
  const engine = new DryEngine(parts, {
    want: (want) => wants.push(want),
    outlook: (outlook) => outlooks.push(outlook),
    problem: (problem) => problems.push(problem),
  });
  const source = new HandSource();
  const accept = (payload: Uint8Array): void => {
    const checked = checkFrame(payload);
    if ("type" in checked) throw new Error("no whole frame");
    engine.accept(checked);
  };
  const ask = (entries: readonly Entry[]) => {
    accept(source.page(entries).payload);
    return wants.at(-1)?.want;
  };
  return { engine, source, accept, ask, wants, outlooks };
}

const bits = (value: number) => ({ bits: Buffer.of(value).toString("base64") });

describe("a dry run at a sink", () => {
  test("answers pages as a copy would, and leaves the folder as it was to the inode and the change time", () => {
    const folder = tempFolder();
    place(join(folder, "file"));
    place(join(folder, "other"), "changed");
    place(join(folder, "mode"));
    chmodSync(join(folder, "mode"), 0o600);
    place(join(folder, "was a file"));
    const before = inodeFacts(folder);
    const { ask, engine } = begin(folder);
    const page = [rootEntry, directory("new"), directory("was a file"), symlink("link", "file"), file("file", 7)];
    expect(ask([...page, file("other", 8), file("mode", 7)])).toEqual(bits(0b0100000));
    expect(engine.counts).toMatchObject({ filesFound: 3, bytesFound: 22, filesUnchanged: 2, bytesUnchanged: 14 });
    expect(inodeFacts(folder)).toEqual(before);
  });

  test("wants everything of an empty folder, and makes nothing in it", () => {
    const folder = tempFolder();
    const before = inodeFacts(folder);
    expect(begin(folder).ask([...TREE, ...INNER])).toBe("all");
    expect(inodeFacts(folder)).toEqual(before);
  });

  test("wants what has no parent, a file for a parent, or one behind a link, which it does not follow", () => {
    const [folder, outside] = [tempFolder(), tempFolder()];
    mkdirSync(join(outside, "er"));
    for (const path of ["inner", "er/file"]) place(join(outside, path));
    place(join(folder, "file"));
    symlinkSync(outside, join(folder, "parent"));
    expect(begin(folder).ask([...TREE, ...INNER])).toEqual(bits(0b1010000));
    rmSync(join(folder, "parent"));
    place(join(folder, "parent"));
    mkdirSync(join(folder, "deep"));
    symlinkSync(join(outside, "er"), join(folder, "deep/er"));
    symlinkSync("file", join(folder, "link"));
    expect(begin(folder).ask([...TREE, file("link", 7), ...INNER])).toEqual(bits(0b10110000));
  });

  test("compares by content where the page has its hash, and changes no time", () => {
    const folder = tempFolder();
    place(join(folder, "file"));
    utimesSync(join(folder, "file"), 1, 1);
    const before = inodeFacts(folder);
    const hashed = (text: string) => ({ ...file("file", 7), hash: hashChunk(Buffer.from(text)).hash }) as Entry;
    expect(begin(folder).ask([rootEntry, hashed("content")])).toBe("none");
    expect(begin(folder).ask([rootEntry, hashed("CONTENT")])).toBe("all");
    expect(inodeFacts(folder)).toEqual(before);
  });

  test("wants what may have been lost with the power", () => {
    const folder = tempFolder();
    place(join(folder, "file"));
    const { ctimeMs } = statSync(join(folder, "file"));
    expect(begin(folder, [[ctimeMs - 10, ctimeMs + 10]]).ask([rootEntry, file("file", 7)])).toBe("all");
  });

  test("knows pages as answered only when others so far above them have come", () => {
    const { ask, engine } = begin(tempFolder());
    ask([rootEntry]);
    for (let page = 1; page < PAGES_UNANSWERED_MAX; page += 1) ask([file(`f${page}`)]);
    expect(engine.pages).toBe(0);
    ask([file("one more")]);
    expect(engine.pages).toBe(1);
  });

  test("takes nothing that writes, and no walk with a hole", () => {
    const data = begin(tempFolder());
    data.ask([rootEntry, file("file", 7)]);
    const bytes = Buffer.from("content");
    for (const frame of [dataFrame([{ entry: 1, bytes }]), data.source.end()])
      expect(thrownCode(() => data.accept(frame))).toBe("damaged");
    const hole = begin(tempFolder());
    hole.source.page([rootEntry]);
    expect(thrownCode(() => hole.accept(hole.source.walked()))).toBe("damaged");
  });

  test("fails when the folder is gone, instead of wanting all of it", () => {
    const folder = tempFolder();
    place(join(folder, "file"));
    const { ask, wants } = begin(folder);
    rmSync(folder, { recursive: true });
    expect(thrownCode(() => ask([rootEntry, file("file", 7)]))).toBe("folder-missing");
    expect(wants).toEqual([]);
  });
});
