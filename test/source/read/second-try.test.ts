import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeDataTable } from "../../../src/protocol/frame/data-table.ts";
import { decodeFrame } from "../../../src/protocol/frame/frame.ts";
import type { SourceEvent } from "../../../src/protocol/messages/events.ts";
import type { SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { parseRule } from "../../../src/protocol/names/filter.ts";
import { runFaultySession } from "../../helpers/copies/session-in-process.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

/** More than the largest window: when its first frame is published, its last byte has not been read. */
const LARGE_BYTES = 40 * 1024 * 1024;

interface Tried {
  readonly root: string;
  readonly sinks: readonly string[];
  readonly summary: SessionSummary;
  readonly events: readonly SourceEvent[];
}

/** A session in which `changes[n]` happens while the large file is read for the n-th time. */
async function session(changes: readonly ((path: string, root: string) => void)[]): Promise<Tried> {
  const root = join(memoryFolder(), "root");
  for (const name of ["d", "e"]) mkdirSync(join(root, name), { recursive: true });
  const path = join(root, "d", "large");
  writeFileSync(path, Buffer.alloc(LARGE_BYTES, "first"));
  for (const name of ["a", "d/b", "e/after"]) writeFileSync(join(root, name), name);
  const sinks = [memoryFolder(), memoryFolder()];
  /** Numbers under which the large file came. */
  const begun = new Set<number>();
  const events: SourceEvent[] = [];
  const { summary } = await runFaultySession({
    source: root,
    sinks,
    down: () => () => undefined,
    up: () => undefined,
    onEvent: (event) => void events.push(event),
    tree: { compression: "off" },
    // It looks into what is published.
    seals: "off",
    onPublish: (payload) => {
      const { type, table, content } = decodeFrame(payload);
      if (type !== "data") return;
      for (const record of decodeDataTable(table, content)) {
        if (record.kind !== "chunk" || record.bytes.length < 30_000 || begun.has(record.entry)) continue;
        changes[begun.size]?.(path, root);
        begun.add(record.entry);
      }
    },
  });
  return { root, sinks, summary, events };
}

const rewrite = (letter: string) => (path: string) => writeFileSync(path, Buffer.alloc(LARGE_BYTES + 1, letter));

function expectProgress(events: readonly SourceEvent[], summary: SessionSummary): void {
  let last = { bytesDone: 0, filesDone: 0 };
  for (const event of events) {
    if (event.type !== "progress") continue;
    const { bytesDone, filesDone, bytesFound, filesFound } = event.progress;
    expect(bytesDone).toBeGreaterThanOrEqual(last.bytesDone);
    expect(filesDone).toBeGreaterThanOrEqual(last.filesDone);
    expect([bytesDone <= bytesFound, filesDone <= filesFound]).toEqual([true, true]);
    last = { bytesDone, filesDone };
  }
  expect(last).toEqual({ bytesDone: summary.bytes, filesDone: summary.files });
}

describe("a session over files that change", () => {
  test("brings a file that changed once as it is when it is read again", async () => {
    const { root, sinks, summary, events } = await session([rewrite("second")]);
    expect([summary.result, summary.problemCount, summary.files]).toEqual(["complete", 0, 4]);
    expect(summary.sinks.map(({ outcome, filesDone }) => [outcome, filesDone])).toEqual([
      ["proven", 4],
      ["proven", 4],
    ]);
    for (const sink of sinks) await expectEqualTrees(root, sink);
    expectProgress(events, summary);
  });

  test("leaves one that changed twice as it was at the sinks, and is incomplete", async () => {
    const { sinks, summary, events } = await session([rewrite("second"), rewrite("third")]);
    expect([summary.result, summary.problems]).toEqual([
      "incomplete",
      [expect.objectContaining({ path: "d/large", kind: "changed" })],
    ]);
    for (const sink of sinks) {
      expect(() => readFileSync(join(sink, "d/large"))).toThrow(/ENOENT/);
      expect(readFileSync(join(sink, "e/after"), "utf8")).toBe("e/after");
    }
    expectProgress(events, summary);
  });

  test("brings a log that grows up to its size when it was opened, and counts it", async () => {
    const { sinks, summary, events } = await session([(path) => appendFileSync(path, "one more line")]);
    expect([summary.result, summary.filesGrew, summary.problemCount]).toEqual(["complete", 1, 0]);
    for (const sink of sinks)
      expect(readFileSync(join(sink, "d/large")).equals(Buffer.alloc(LARGE_BYTES, "first"))).toBe(true);
    expect(events).toContainEqual({ type: "file", path: "d/large", bytes: LARGE_BYTES, grew: true });
    expectProgress(events, summary);
  });

  test("lists one that changed, and then vanished, and counts it as given up", async () => {
    let isGone = false;
    const { summary, events } = await session([
      (path) => {
        truncateSync(path, 10);
        process.nextTick(() => {
          isGone = true;
          unlinkSync(path);
        });
      },
    ]);
    expect([isGone, summary.result, summary.problems[0]?.kind]).toEqual([true, "incomplete", "vanished"]);
    expectProgress(events, summary);
  });

  test("fails when the source's directory is taken away under it, with a reason of its own", async () => {
    const gone = session([(_path, root) => renameSync(root, `${root}.away`)]);
    await expect(gone).rejects.toMatchObject({ code: "folder-missing" });
  });
});

test("a session with a filter carries, proves and counts only what is not left out", async () => {
  const root = memoryFolder();
  for (const name of ["a.txt", "b.tmp", "c.tmp"]) writeFileSync(join(root, name), name);
  const sink = memoryFolder();
  const { summary } = await runFaultySession({
    source: root,
    sinks: [sink],
    down: () => () => undefined,
    up: () => undefined,
    tree: { filters: [parseRule("--exclude", "*.tmp")], checksum: true },
  });
  expect(summary).toMatchObject({ result: "complete", files: 1, notCarried: { excluded: 2 }, problemCount: 0 });
  expect(readdirSync(sink).toSorted()).toEqual([".fanfold", "a.txt"]);
});
