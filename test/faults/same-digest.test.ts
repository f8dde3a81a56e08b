import { cpSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { statPath } from "../../src/lib/disk/entry-stats.ts";
import { TRAITS_WORDS } from "../../src/lib/disk/file-traits.ts";
import type { SessionSummary } from "../../src/protocol/messages/progress.ts";
import { digestFolder } from "../../src/source/digest/digest-folder.ts";
import { ContentMemory } from "../../src/source/memory/content-memory.ts";
import type { PublishedTree } from "../../src/source/publish/published-tree.ts";
import { type FaultySession, runFaultySession } from "../helpers/copies/session-in-process.ts";
import { flipByte } from "../helpers/copies/verified.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { makeBefore, makeTree, tree } from "../helpers/trees/any-tree.ts";
import { content } from "../helpers/trees/tree.ts";

const noFaults = (): undefined => undefined;
const digestOf = async (folder: string) =>
  (await digestFolder({ folder, signal: new AbortController().signal }).result).digest;

/** A session without faults; its source remembers hashes in `memory`. */
async function run(
  source: string,
  sinks: readonly string[],
  { memory, ...tree }: Omit<PublishedTree, "root" | "memory"> & { memory?: string } = {},
  change: Partial<FaultySession> = {},
): Promise<SessionSummary> {
  const remembered = memory === undefined ? {} : { memory: Buffer.from(memory) };
  const { summary } = await runFaultySession({
    ...{ source, sinks, down: () => noFaults, up: noFaults, tree: { ...tree, ...remembered } },
    ...change,
  });
  return summary;
}

/** A tree of an odd kind of file each, and sinks' folders beside it. */
function makeLab(): { base: string; source: string; folder: (name: string) => string } {
  const base = tempFolder();
  const folder = (name: string): string => {
    mkdirSync(join(base, name));
    return join(base, name);
  };
  return { base, source: folder("source"), folder };
}

/** With times that a byte can be changed under. */
function makeSome(source: string): void {
  for (const [index, bytes] of [0, 10, 40_000, 2_000_000].entries()) {
    writeFileSync(join(source, `file${index}`), content(bytes, index));
    utimesSync(join(source, `file${index}`), 1_000_000 + index, 1_000_000 + index);
  }
}

describe("the same tree has the same digest", () => {
  test("whatever was sent, whatever the pages, and whatever stood at the sink", async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.double({ min: 0, max: 1, noNaN: true }), async (items, share) => {
        const { base, source, folder } = makeLab();
        makeTree(source, items);
        const memory = join(base, "state/hashes/one");
        const wanted = await digestOf(source);
        const [first, mixed, stale] = [folder("first"), folder("mixed"), folder("stale")];
        makeBefore(mixed, { source, items, share, stale: false });
        makeBefore(stale, { source, items, share, stale: true });
        const digests = [
          (await run(source, [first], { memory })).digest,
          (await run(source, [first], { memory })).digest,
          (await run(source, [first])).digest,
          (await run(source, [first], { memory, checksum: true })).digest,
          (await run(source, [mixed], { memory })).digest,
          (await run(source, [stale, first], { memory }, { payloadBytes: 40 * 1024 })).digest,
          (await run(source, [folder("new")], { memory, compression: "on" })).digest,
        ];
        expect(digests).toEqual(digests.map(() => wanted));
        // A copy is the same tree.
        for (const copy of [first, mixed, stale]) expect(await digestOf(copy)).toBe(wanted);
      }),
      { numRuns: 2 },
    );
  });

  test("also when a file changes while it is read, and is read again", async () => {
    const { source, folder } = makeLab();
    makeSome(source);
    let isOld = true;
    const onPublish = (): void => {
      if (isOld) writeFileSync(join(source, "file3"), content(2_000_001, 9));
      isOld = false;
    };
    const sink = folder("sink");
    const summary = await run(source, [sink], {}, { onPublish });
    expect(summary).toMatchObject({ result: "complete", problemCount: 0 });
    expect(summary.digest).toBe(await digestOf(source));
    expect(await digestOf(sink)).toBe(summary.digest);
  });
});

describe("a file that no sink wants", () => {
  test("is not read by a source that remembers it: what it says then is a lie where its memory lies, and the sink tells so", async () => {
    const { base, source, folder } = makeLab();
    makeSome(source);
    const [memory, sink] = [join(base, "state/hashes/one"), folder("sink")];
    const first = await run(source, [sink], { memory });
    expect(readdirSync(join(base, "state/hashes"))).toEqual(["one"]);
    expect(await run(source, [sink], { memory })).toMatchObject({ result: "unchanged", digest: first.digest });
    {
      using planted = ContentMemory.open(Buffer.from(memory), { keeps: true, nowMs: Date.now() });
      const words = new Uint32Array(TRAITS_WORDS);
      statPath(Buffer.from(join(source, "file3")))?.traits(words, 0);
      const bytes = new Uint8Array(words.buffer);
      const place = { directory: Buffer.alloc(0), names: Buffer.from("file3"), from: 0, to: 5 };
      planted.keep(place, { bytes, at: 0 }, { bytes: Buffer.alloc(32, 1), at: 0 });
      planted.commit();
    }
    const lied = await run(source, [sink], { memory });
    expect(lied.digest).not.toBe(first.digest);
    expect(lied.sinks).toMatchObject([{ outcome: "incomplete", problems: [{ path: "file3", kind: "not-carried" }] }]);
    // It wants the file then, the source reads it, and knows better.
    const next = await run(source, [sink], { memory });
    expect(next).toMatchObject({ digest: first.digest, bytesSent: 2_000_000 });
    expect(await run(source, [sink], { memory })).toMatchObject({ result: "unchanged", digest: first.digest });
  });

  test("and has another content than the copy is told of, is no part of the proof, and comes with the next run", async () => {
    const { base, source, folder } = makeLab();
    makeSome(source);
    const [memory, sink] = [join(base, "state/hashes/one"), folder("sink")];
    const first = await run(source, [sink], { memory });
    expect(first.sinks).toMatchObject([{ outcome: "proven" }]);
    // One byte at the source, with size and time as before.
    flipByte(join(source, "file3"), 1_000_000);
    const second = await run(source, [sink], { memory });
    expect(second.digest).toBe(await digestOf(source));
    expect(second.digest).not.toBe(first.digest);
    expect(second.sinks).toMatchObject([
      { outcome: "incomplete", problemCount: 1, problems: [{ path: "file3", kind: "not-carried" }] },
    ]);
    const third = await run(source, [sink], { memory });
    expect(third).toMatchObject({ digest: second.digest, bytesSent: 2_000_000 });
    expect(third.sinks).toMatchObject([{ outcome: "complete", problemCount: 0 }]);
    expect(await digestOf(sink)).toBe(second.digest);
  });

  test("and was changed at the sink in secret is taken as unchanged since its proof, which is told; without a proof it is read", async () => {
    const { base, source, folder } = makeLab();
    makeSome(source);
    const [memory, sink] = [join(base, "state/hashes/one"), folder("sink")];
    await run(source, [sink], { memory });
    flipByte(join(sink, "file3"), 1_000_000);
    const taken = await run(source, [sink], { memory });
    expect(taken.sinks).toMatchObject([{ outcome: "complete", takenAsUnchanged: { files: 3 } }]);
    rmSync(join(sink, ".fanfold/manifest"));
    const read = await run(source, [sink], { memory });
    expect(read.sinks).toMatchObject([{ outcome: "incomplete", problems: [{ path: "file3", kind: "not-carried" }] }]);
    expect((await run(source, [sink], { memory })).sinks).toMatchObject([{ outcome: "complete", problemCount: 0 }]);
    expect(await digestOf(sink)).toBe(taken.digest);
  });

  test("and that the sink has no proof of is proven by reading it: all is proven then", async () => {
    const { source, folder, base } = makeLab();
    makeSome(source);
    const sink = join(base, "sink");
    cpSync(source, sink, { recursive: true, preserveTimestamps: true });
    const { sinks, bytesSent } = await run(source, [sink]);
    expect(bytesSent).toBe(0);
    expect(sinks).toMatchObject([{ outcome: "proven", filesUnchanged: 4 }]);
    expect(sinks[0]?.takenAsUnchanged).toBeUndefined();
    expect((await run(source, [sink, folder("other")])).sinks).toMatchObject([{}, { outcome: "proven" }]);
  });
});
