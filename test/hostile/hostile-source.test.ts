import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import { FRAME_BYTES_MAX } from "../../src/protocol/limits.ts";
import { runSink } from "../../src/sink/sink.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  directory,
  file,
  finalOf,
  HandSource,
  rootEntry,
  seal,
  symlink,
  unchanged,
} from "../helpers/copies/hand-source.ts";
import { packed, zeroBomb } from "../helpers/copies/packed-frame.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { fullTreeFacts } from "../helpers/trees/full-tree-facts.ts";
import { asOf, dataSubject, hostileMember } from "./hostile-member.ts";

const hello = Buffer.from("hello");
const other = Buffer.from("other");
const entries = [rootEntry, directory("d"), symlink("out", "/"), file("d/a", 5)];

const MIB = 1024 * 1024;
const EMPTY = Buffer.alloc(0);
const long = Buffer.alloc(20_000, "some text ");
const longData = (bytes = 32_768): Buffer => dataFrame([{ entry: 3, bytes: Buffer.alloc(bytes, "some text ") }]);

function good() {
  const source = new HandSource();
  const { payload, page } = source.page(entries);
  const data = dataFrame([{ entry: 3, bytes: hello }], [{ entry: 3, final: finalOf(hello) }]);
  return { source, page, payload, data, walked: source.walked() };
}

const pageOf = (...inner: readonly ReturnType<typeof file>[]): Buffer[] => [
  new HandSource().page([rootEntry, ...inner]).payload,
];

/** A whole tree, and one more entry behind it. */
function behindTheWalk(entry: ReturnType<typeof file>): Buffer[] {
  const { source, page, payload, data, walked } = good();
  const trailer = source.trailer(page, [AS_LISTED, AS_LISTED, AS_LISTED, delivered(hello)]);
  return [payload, walked, data, trailer, source.page([entry]).payload];
}

const first = (entry: ReturnType<typeof file>): Buffer[] => [new HandSource().page([rootEntry, entry]).payload];

/** What a source may lie about, and the code with which a sink answers. Frames are numbered as they stand. */
const LIES: Readonly<Record<string, readonly [code: string, frames: () => readonly Buffer[]]>> = {
  "a path that leads out": ["damaged", () => first(file("../x", 1))],
  "an absolute path": ["damaged", () => first(file("/etc/x", 1))],
  "a NUL in a name": ["damaged", () => first(file("a\0b", 1))],
  "a path in our own folder": ["damaged", () => first(file(".fanfold/sink.db", 1))],
  "a second first page": ["damaged", () => [good().payload, good().payload]],
  "pages out of order": ["damaged", () => [new HandSource().page(entries, { page: 1 }).payload]],
  "entries that are numbered wrong": [
    "damaged",
    () => [new HandSource().page([rootEntry], { first: 2 ** 40 }).payload],
  ],
  "data of an entry that is not there": [
    "damaged",
    () => [good().payload, dataFrame([{ entry: 2 ** 40, bytes: hello }])],
  ],
  "data of a directory": ["damaged", () => [good().payload, dataFrame([{ entry: 1, bytes: hello }])]],
  "a chunk beyond what came": [
    "damaged",
    () => [good().payload, dataFrame([{ entry: 3, bytes: hello, offset: 2 ** 40 }])],
  ],
  "a chunk after the close mark": ["damaged", () => [good().payload, good().data, good().data]],
  "a close mark of another size": [
    "digest-mismatch",
    () => [
      good().payload,
      dataFrame([{ entry: 3, bytes: hello }], [{ entry: 3, final: { ...finalOf(hello), size: 6 } }]),
    ],
  ],
  "a close mark of another content": [
    "digest-mismatch",
    () => [good().payload, dataFrame([{ entry: 3, bytes: hello }], [{ entry: 3, final: finalOf(other) }])],
  ],
  "a trailer of another content": [
    "digest-mismatch",
    () => {
      const { source, page, payload, data } = good();
      return [payload, data, source.trailer(page, [AS_LISTED, AS_LISTED, AS_LISTED, delivered(other)])];
    },
  ],
  "a trailer that says nobody wanted the file": [
    "digest-mismatch",
    () => {
      const { source, page, payload } = good();
      return [payload, source.trailer(page, [AS_LISTED, AS_LISTED, AS_LISTED, unchanged(Buffer.from("any"))])];
    },
  ],
  "a trailer of a page to come": [
    "damaged",
    () => {
      const { source, page, payload } = good();
      return [payload, source.trailer({ ...page, page: 7 }, [])];
    },
  ],
  "another digest of the tree": [
    "digest-mismatch",
    () => {
      const { source, page, payload, data, walked } = good();
      const trailer = source.trailer(page, [AS_LISTED, AS_LISTED, AS_LISTED, delivered(hello)]);
      return [payload, walked, data, trailer, source.end(Buffer.alloc(32))];
    },
  ],
  "an end before its pages": ["damaged", () => [good().payload, good().source.end()]],
  "wrong totals of the walk": ["damaged", () => [good().payload, new HandSource().walked()]],
  "a report among the data": ["damaged", () => [seal("up", Buffer.from("{}"))]],
  "one name twice": ["damaged", () => pageOf(file("a", 1), directory("b"), file("a", 1))],
  "a directory twice": ["damaged", () => pageOf(directory("d"), directory("d"))],
  "a link where a directory was": ["damaged", () => pageOf(directory("d"), symlink("d", "/"), file("d/a", 1))],
  "one name in a directory's page and a later one": [
    "damaged",
    () => {
      const source = new HandSource();
      return [source.page([rootEntry, file("a", 1)]).payload, source.page([file("a", 1)]).payload];
    },
  ],
  "a parent that is a file": ["damaged", () => pageOf(file("d", 1), file("d/a", 1))],
  "a parent that is a link": ["damaged", () => pageOf(symlink("d", "/"), file("d/a", 1))],
  "a parent that never came": ["damaged", () => pageOf(file("d/a", 1))],
  "a parent that comes later": ["damaged", () => pageOf(directory("b"), file("c/a", 1), directory("c"))],
  "a directory in two pieces": ["damaged", () => pageOf(directory("d"), file("d/a", 1), file("b", 1))],
  "directories out of order": ["damaged", () => pageOf(directory("d"), directory("e"), file("e/a", 1), file("d/a", 1))],
  "a file behind the walk that was not withdrawn": ["damaged", () => behindTheWalk(file("d/a", 5))],
  "a new file behind the walk": ["damaged", () => behindTheWalk(file("new", 5))],
  "a link behind the walk": ["damaged", () => behindTheWalk(symlink("d/a", "/"))],
  "a second end of the walk": ["damaged", () => [good().payload, good().walked, good().walked]],
  "compressed content of another length than its chunks": [
    "damaged",
    () => [good().payload, packed(good().data, { content: zstdCompressSync(long), plainBytes: long.length })],
  ],
  "compressed content that is not smaller": [
    "damaged",
    () => [good().payload, packed(good().data, { content: zstdCompressSync(hello) })],
  ],
  "a frame that is too long when it is decompressed": [
    "damaged",
    () => [good().payload, packed(longData(), { plainBytes: FRAME_BYTES_MAX })],
  ],
  "a plain length and no content": ["damaged", () => [packed(good().payload, { content: EMPTY, plainBytes: 1 })]],
  "a table that does not decode": ["damaged", () => [seal("page", Buffer.alloc(9, 0xff))]],
};

/** Content that cannot be had, however often it is asked for. */
const BOMBS: Readonly<Record<string, () => Buffer>> = {
  "garbage for compressed content": () => packed(longData(), { content: Buffer.alloc(99, "garbage") }),
  "a bomb of 64 MiB": () => packed(longData(), { content: zeroBomb(64 * MIB) }),
  "a bomb of 64 GiB": () => packed(longData(3 * MIB), { content: zeroBomb(64 * 1024 * MIB) }),
  "a window of 2 GiB": () => packed(longData(), { content: zeroBomb(MIB, 31) }),
  "a plain length that is not that of its content": () => packed(longData(), { content: zstdCompressSync(hello) }),
};

/** A sink that may have been let go waits for a lane; here it does not wait long. */
const IMPATIENT: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 100), signal) };

async function lieTo(
  frames: readonly Buffer[],
  change: (frame: Buffer, sequence: number, sessionId: string) => Buffer,
) {
  const home = tempFolder();
  const [folder, canary] = [join(home, "sink"), join(home, "canary")];
  mkdirSync(folder);
  mkdirSync(canary);
  writeFileSync(join(canary, "a"), "canary");
  // Links that lead out, under names that a source may well use.
  symlinkSync(canary, join(folder, "d"));
  const before = fullTreeFacts(canary);
  const coordinator = await coordinatorOf();
  const stop = new AbortController();
  const sink = runSink({ coordinator: `localhost:${coordinator.port}`, folder, signal: stop.signal, clock: IMPATIENT });
  const ended = sink.result.then(
    ({ outcome }) => outcome,
    (thrown) => FanfoldError.from(thrown).code,
  );
  const liar = await hostileMember(coordinator, "source");
  let message = await liar.control.next();
  while (message.type !== "start") message = await liar.control.next();
  for (const [sequence, frame] of frames.entries())
    await liar.publish(dataSubject(liar.sessionId), change(frame, sequence, liar.sessionId));
  const code = await ended;
  expect(fullTreeFacts(canary)).toBe(before);
  return code;
}

const honestly = (frame: Buffer, sequence: number, sessionId: string): Buffer => asOf(sessionId, frame, sequence);

describe("a sink over a real relay", () => {
  test.each(Object.entries(LIES))("refuses %s, and touches nothing elsewhere", async (_, [code, frames]) => {
    expect(await lieTo(frames(), honestly)).toBe(code);
  });

  test.each(Object.entries(BOMBS))("asks for %s again, and then gives up", async (_, bomb) => {
    const data = bomb();
    const again = (frame: Buffer, index: number, sessionId: string): Buffer =>
      asOf(sessionId, frame, Math.min(index, 1));
    expect(await lieTo([good().payload, data, data, data, data, data], again)).toBe("digest-mismatch");
  });

  test("refuses frames of another session, of another version and of an unknown type", async () => {
    const frames = [good().payload];
    const foreign = (frame: Buffer, sequence: number): Buffer => asOf("zzzzzzzzzzzz", frame, sequence);
    expect(await lieTo(frames, foreign)).toBe("damaged");
    const edited = (offset: number, value: number) => (frame: Buffer, sequence: number, sessionId: string) => {
      const bytes = Buffer.from(frame);
      bytes[offset] = value;
      return asOf(sessionId, bytes, sequence);
    };
    expect(await lieTo(frames, edited(2, 99))).toBe("protocol-version");
    expect(await lieTo(frames, edited(3, 99))).toBe("damaged");
  });
});
