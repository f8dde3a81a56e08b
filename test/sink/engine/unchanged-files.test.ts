import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Native } from "../../../src/lib/disk/native-calls.ts";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import type { EntryState } from "../../../src/protocol/frame/trailer.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  file,
  finalOf,
  HandSource,
  rootEntry,
  symlink,
  TIME,
  unchanged,
  WITHDRAWN,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { needNative } from "../../helpers/trees/every-kind-tree.ts";
import { content } from "../../helpers/trees/tree.ts";

const LEAF = 32 * 1024;
const SECONDS = 1_600_000_000.123456;

/** A folder with one file, `file`, as an earlier copy left it. */
function folderWith(bytes: Uint8Array, { mode = 0o755, seconds = SECONDS } = {}): string {
  const folder = tempFolder();
  writeFileSync(join(folder, "file"), bytes);
  chmodSync(join(folder, "file"), mode);
  utimesSync(join(folder, "file"), seconds, seconds);
  if (seconds === SECONDS) loadNative()?.setTimes(Buffer.from(join(folder, "file")), TIME);
  return folder;
}

/** A sink over the folder that has taken a page of the root, `file` (1), and what is given. */
function begin(
  folder: string,
  size: number,
  change: { hash?: Uint8Array; mtime?: typeof TIME } = {},
  more: readonly Entry[] = [],
) {
  const sink = openEngine(folder);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, { ...file("file", size), ...change } as Entry, ...more]);
  sink.accept(payload);
  const prove = (states: readonly EntryState[]): void => {
    sink.accept(source.trailer(page, [AS_LISTED, ...states]));
    sink.accept(source.end());
  };
  const stat = () => lstatSync(join(folder, "file"), { bigint: true });
  return { ...sink, engine: sink.engine, source, page, prove, stat, path: join(folder, "file"), folder };
}

/** Bits of a want, as base64 of one byte. */
const bits = (value: number) => ({ bits: Buffer.of(value).toString("base64") });

describe("where a file system takes no time of modification alone", () => {
  /** As some in user space: what comes alone is left out without a word. */
  const engineOver = (folder: string, setTimes: (native: Native) => Native["setTimes"]) => {
    const native = needNative();
    const sink = openEngine(folder, { root: { native: { ...native, setTimes: setTimes(native) } } });
    onTestFinished(() => sink[Symbol.dispose]());
    const source = new HandSource();
    const { payload, page } = source.page([rootEntry, file("file", 7)]);
    sink.accept(payload);
    return { sink, source, page };
  };

  test("it is set with that of the access, and is known the next time", () => {
    const folder = tempFolder();
    const together = (native: Native): Native["setTimes"] => {
      return (place, mtime, atime) => {
        if (atime !== undefined) native.setTimes(place, mtime, atime);
      };
    };
    const bytes = Buffer.from("content");
    const { sink, source, page } = engineOver(folder, together);
    sink.accept(dataFrame([{ entry: 1, bytes }], [{ entry: 1, final: finalOf(bytes) }]));
    sink.accept(source.trailer(page, [AS_LISTED, delivered(bytes)]));
    sink.accept(source.end());
    expect(sink.engine.digest).toBeDefined();
    const { seconds, nanoseconds } = TIME;
    expect(statSync(join(folder, "file"), { bigint: true }).mtimeNs).toBe(
      BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    );
    expect(engineOver(folder, together).sink.wants[0]?.want).toBe("none");
  });

  test("and none at all, no file is taken as unchanged, also one of this very second", () => {
    const folder = folderWith(Buffer.from("CONTENT"), { seconds: Math.floor(Date.now() / 1000) });
    const before = statSync(join(folder, "file"));
    // The probe shows the time of the file.
    const never = (native: Native): Native["setTimes"] => {
      return (place) => native.setTimes(place, { seconds: before.mtimeMs / 1000, nanoseconds: 0 });
    };
    expect(engineOver(folder, never).sink.wants[0]?.want).toBe("all");
  });
});

describe("a file that stands there with equal size and time", () => {
  test.each<[string, (path: string) => void]>([
    ["written to", (path) => writeFileSync(path, "changed")],
    ["removed", (path) => rmSync(path)],
  ])("and is %s before its page is closed is a problem, and no file taken as unchanged", (_, change) => {
    const { problems, engine, prove, path } = begin(folderWith(Buffer.from("content")), 7);
    change(path);
    prove([unchanged(Buffer.from("content"))]);
    expect(problems).toMatchObject([{ path: "file", kind: "not-carried" }]);
    expect([engine.counts.filesUnchanged, engine.counts.bytesUnchanged]).toEqual([0, 0]);
  });
  test("is not wanted, counts as done, stays untouched, and agrees with a trailer that says it was not read", () => {
    const folder = folderWith(Buffer.from("content"));
    const before = lstatSync(join(folder, "file"), { bigint: true });
    const { wants, engine, prove, stat } = begin(folder, 7);
    expect(wants).toEqual([{ type: "want", page: 0, want: "none" }]);
    expect(engine.counts).toMatchObject({ filesDone: 1, bytesDone: 7, filesUnchanged: 1, bytesUnchanged: 7 });
    prove([unchanged(Buffer.from("content"))]);
    expect(engine.digest).toBeDefined();
    expect([stat().ino, stat().ctimeNs]).toEqual([before.ino, before.ctimeNs]);
  });

  test("gets the mode of its source, and keeps its inode", () => {
    const folder = folderWith(Buffer.from("content"), { mode: 0o600 });
    const { ino } = statSync(join(folder, "file"));
    const { wants, stat } = begin(folder, 7);
    expect(wants[0]?.want).toBe("none");
    expect([stat().mode & 0o7777n, Number(stat().ino)]).toEqual([0o755n, ino]);
  });

  test.each([
    ["a size", 8, SECONDS],
    ["a time, by a microsecond", 7, SECONDS - 0.000001],
  ])("but another %s is wanted", (_, size, seconds) => {
    const { wants, engine } = begin(folderWith(Buffer.from("content"), { seconds }), size);
    expect(wants[0]?.want).toBe("all");
    expect(engine.counts).toMatchObject({ filesDone: 0, filesUnchanged: 0 });
  });

  test("is told from those beside it that are wanted, and from what is not a regular file", () => {
    const folder = folderWith(Buffer.from("content"));
    const { wants } = begin(folder, 7, {}, [file("new", 1), symlink("link", "file"), file("empty")]);
    expect(wants[0]?.want).toEqual(bits(0b10100));
    expect(begin(folder, 7, {}, [file("link", 4), file("link2", 1)]).wants[0]?.want).toEqual(bits(0b1100));
  });

  test("but another mode becomes a separate file when it has other names, which must not change", () => {
    const folder = folderWith(Buffer.from("content"), { mode: 0o600 });
    linkSync(join(folder, "file"), join(folder, "snapshot"));
    const { wants, prove } = begin(folder, 7);
    expect(wants[0]?.want).toBe("none");
    prove([unchanged(Buffer.from("content"))]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("content");
    expect(["file", "snapshot"].map((name) => statSync(join(folder, name)).mode & 0o7777)).toEqual([0o755, 0o600]);
  });

  test("is wanted when it may have been lost with the power", () => {
    const folder = folderWith(Buffer.from("content"));
    const { ctimeMs } = statSync(join(folder, "file"));
    const wantsWith = (from: number, to: number) => {
      using sink = openEngine(folder, { doubts: [[from, to]] });
      sink.accept(new HandSource().page([rootEntry, file("file", 7)]).payload);
      return sink.wants[0]?.want;
    };
    expect(wantsWith(ctimeMs - 10, ctimeMs + 10)).toBe("all");
    expect(wantsWith(ctimeMs + 10, ctimeMs + 20)).toBe("none");
    expect(wantsWith(ctimeMs - 20, ctimeMs - 10)).toBe("none");
  });
});

describe("with the content hash in the page", () => {
  const bytes = content(3 * 1024 * 1024 + 7, 1);
  const { hash } = hashChunk(bytes);

  test("equal content is not wanted whatever its time, and gets time and mode", () => {
    const { wants, stat } = begin(folderWith(bytes, { seconds: 5, mode: 0o600 }), bytes.length, { hash });
    expect(wants[0]?.want).toBe("none");
    expect([stat().mode & 0o7777n, stat().mtimeNs / 1000n]).toEqual([0o755n, 1_600_000_000_123_456n]);
  });

  test("other content is wanted, though size and time are equal", () => {
    const other = Buffer.from(bytes);
    other[bytes.length - 1] = (other[bytes.length - 1] ?? 0) ^ 1;
    expect(begin(folderWith(other), other.length, { hash }).wants[0]?.want).toBe("all");
  });
});

describe("content that comes for a file that was not wanted", () => {
  const bytes = content(4 * LEAF + 5, 2);
  /** The content in chunks of a leaf, from byte `from` on. */
  const chunks = (from = 0) =>
    Array.from({ length: 5 }, (_, at) => ({
      entry: 1,
      offset: at * LEAF,
      bytes: bytes.subarray(at * LEAF, (at + 1) * LEAF),
    })).filter(({ offset }) => offset >= from);
  const close = { entry: 1, final: { ...finalOf(bytes), mode: 0o755 } };
  const state: EntryState = { state: "delivered", final: close.final };

  test("is compared, and writes nothing while it is equal", () => {
    const { accept, prove, engine, stat } = begin(folderWith(bytes), bytes.length);
    const before = stat();
    accept(dataFrame(chunks(), [close]));
    prove([state]);
    expect(engine.counts).toMatchObject({ filesDone: 1, bytesDone: bytes.length, filesUnchanged: 1 });
    expect([stat().ino, stat().ctimeNs]).toEqual([before.ino, before.ctimeNs]);
  });

  test("sets the mode and the time of the close mark when they alone differ", () => {
    const { accept, prove, stat } = begin(folderWith(bytes), bytes.length);
    const { ino } = stat();
    const final = { ...finalOf(bytes), mode: 0o640, mtime: { seconds: 1_700_000_000, nanoseconds: 0 } };
    accept(dataFrame(chunks(), [{ entry: 1, final }]));
    prove([{ state: "delivered", final }]);
    expect([stat().ino, stat().mode & 0o7777n, stat().mtimeNs]).toEqual([ino, 0o640n, 1_700_000_000n * 10n ** 9n]);
  });

  test("makes a file of its own for the mode of the close mark when the file has other names", () => {
    const folder = folderWith(bytes);
    linkSync(join(folder, "file"), join(folder, "snapshot"));
    const { accept, prove, stat, path } = begin(folder, bytes.length);
    const final = { ...finalOf(bytes), mode: 0o640 };
    accept(dataFrame(chunks(), [{ entry: 1, final }]));
    prove([{ state: "delivered", final }]);
    expect([stat().mode & 0o7777n, statSync(join(folder, "snapshot")).mode & 0o7777]).toEqual([0o640n, 0o755]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test("is not delivered of what somebody wrote to the file after it was compared", () => {
    const folder = folderWith(bytes);
    const sink = begin(folder, bytes.length);
    // Longer than the source's, so that it is copied, and not kept.
    appendFileSync(sink.path, "more");
    sink.accept(dataFrame(chunks()));
    writeFileSync(sink.path, Buffer.alloc(bytes.length + 4, "x"), { flag: "r+" });
    sink.accept(dataFrame([], [close]));
    sink.prove([state]);
    expect(sink.problems).toEqual([expect.objectContaining({ path: "file", kind: "not-carried" })]);
    expect(readFileSync(sink.path, "utf8")).toMatch(/^x*$/);
    expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
  });

  test("is not kept under the source's time when somebody wrote to it since", () => {
    const folder = folderWith(bytes);
    const { accept, path } = begin(folder, bytes.length);
    accept(dataFrame(chunks()));
    writeFileSync(path, Buffer.alloc(bytes.length, "x"), { flag: "r+" });
    const final = { ...finalOf(bytes), mtime: { seconds: 1_700_000_000, nanoseconds: 0 } };
    accept(dataFrame([], [{ entry: 1, final }]));
    expect(begin(folder, bytes.length, { mtime: final.mtime }).wants[0]?.want).toBe("all");
  });

  test.each([0, LEAF + 1, 4 * LEAF + 4])(
    "replaces the file when it differs at byte %i, and counts it as changed",
    (at) => {
      const own = Buffer.from(bytes);
      own[at] = (own[at] ?? 0) ^ 1;
      const { accept, prove, engine, path, folder } = begin(folderWith(own), bytes.length);
      accept(dataFrame(chunks().slice(0, 2)));
      expect(readFileSync(path).equals(own)).toBe(true);
      accept(dataFrame(chunks().slice(2), [close]));
      prove([state]);
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(engine.counts).toMatchObject({ filesDone: 1, filesUnchanged: 0, bytesUnchanged: 0 });
      expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
    },
  );

  test("cuts off what the file has beyond", () => {
    const shorter = bytes.subarray(0, 2 * LEAF);
    const { accept, prove, path } = begin(folderWith(bytes), bytes.length);
    accept(dataFrame(chunks().slice(0, 2), [{ entry: 1, final: finalOf(shorter) }]));
    prove([delivered(shorter)]);
    expect(readFileSync(path).equals(shorter)).toBe(true);
  });

  test("may begin where other sinks have it up to, and is proven with the file's own beginning", () => {
    const { accept, prove, engine, stat } = begin(folderWith(bytes), bytes.length);
    const { ino } = stat();
    accept(dataFrame(chunks(2 * LEAF), [close]));
    prove([state]);
    expect([engine.digest === undefined, stat().ino]).toEqual([false, ino]);
  });

  test("that begins behind a difference makes a problem of the file, which the next run replaces", () => {
    const own = Buffer.from(bytes);
    own[3] = (own[3] ?? 0) ^ 1;
    const folder = folderWith(own);
    const { accept, prove, problems, path } = begin(folder, bytes.length);
    accept(dataFrame(chunks(2 * LEAF), [close]));
    prove([state]);
    expect(problems).toEqual([expect.objectContaining({ path: "file", kind: "not-carried" })]);
    expect(readFileSync(path).equals(own)).toBe(true);
    expect(begin(folder, bytes.length).wants[0]?.want).toBe("all");
  });

  test("and is withdrawn leaves the file", () => {
    const { accept, prove, engine, stat } = begin(folderWith(bytes), bytes.length);
    const { ino } = stat();
    accept(dataFrame(chunks().slice(0, 2), [{ entry: 1, final: undefined }]));
    prove([WITHDRAWN]);
    expect(stat().ino).toBe(ino);
    expect(engine.counts).toMatchObject({ filesDone: 1, filesUnchanged: 0 });
  });
});

describe("a trailer that says a file was not read", () => {
  test("is a lie when the file was wanted, or came", () => {
    const wanted = begin(tempFolder(), 7);
    expect(thrownCode(() => wanted.prove([unchanged(Buffer.from("content"))]))).toBe("digest-mismatch");
    const came = begin(folderWith(Buffer.from("content")), 7);
    came.accept(
      dataFrame([{ entry: 1, bytes: Buffer.from("content") }], [{ entry: 1, final: finalOf(Buffer.from("content")) }]),
    );
    expect(thrownCode(() => came.prove([unchanged(Buffer.from("content"))]))).toBe("digest-mismatch");
  });
});
