import { describe, expect, test } from "vitest";
import { JsonPresenter } from "../../../src/cli/terminal/json-presenter.ts";
import { PlainPresenter } from "../../../src/cli/terminal/plain-presenter.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { SourceEvent } from "../../../src/protocol/messages/events.ts";
import { type MemoryIo, memoryIo } from "./memory-io.ts";
import { sampleOutcome, sampleProgress, sampleSink, sampleSummary } from "./sample-events.ts";

type Kind = "plain" | "quiet" | "none";

function plain(
  kind: Kind = "plain",
  verbose = false,
): { io: MemoryIo; take: (event: SourceEvent) => void; status: () => void } {
  const io = memoryIo();
  const presenter = new PlainPresenter(sourceView, { io, mode: { kind, verbose, colour: false }, style: PLAIN_STYLE });
  return { io, take: (event) => presenter.take(event), status: () => presenter.status() };
}

const failed = sampleOutcome("beta", {
  outcome: "failed",
  code: "disk-full",
  message: 'cannot write "x": no space left',
});

describe("PlainPresenter", () => {
  test("prints every change of state at once", () => {
    const { io, take } = plain();
    take({ type: "connecting", address: "localhost:7337", attempt: 1 });
    take({ type: "joined", session: "default", sessionId: "abc", name: "laptop", transport: "embedded" });
    take({ type: "waiting", needed: 3, sinks: ["alpha"] });
    take({ type: "started", sinks: ["alpha", "beta"] });
    expect(io.stdout.lines).toEqual([
      "joined session default as laptop (embedded)",
      "waiting for sinks: 1 of 3 (alpha)",
      "started with 2 sinks: alpha, beta",
    ]);
  });

  test("says that the coordinator does not answer, at growing distances", () => {
    const { io, take } = plain();
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      take({
        type: "connecting",
        address: "localhost:7337",
        attempt,
        ...(attempt > 1 ? { reason: "connection refused" } : {}),
      });
    }
    const attempts = io.stdout.lines.map((line) => /attempt (\d+)/.exec(line)?.[1]);
    expect(attempts).toEqual(["2", "4", "8", "16", "32"]);
  });

  test("prints progress every five seconds at most", () => {
    const { io, take } = plain();
    for (let tick = 0; tick < 120; tick += 1) {
      take({ type: "progress", progress: sampleProgress(), sinks: [sampleSink("alpha")] });
      io.clock.advance(100);
    }
    expect(io.stdout.lines).toHaveLength(2);
    expect(io.stdout.lines[0]).toContain("25%, 1.0 GiB of 4.0 GiB, 5,000 of 20,000 files");
  });

  test("prints no progress under --progress none, but all that happens", () => {
    const { io, take } = plain("none");
    for (let tick = 0; tick < 120; tick += 1) {
      take({ type: "progress", progress: sampleProgress(), sinks: [sampleSink("alpha")] });
      io.clock.advance(100);
    }
    take({ type: "waiting", needed: 3, sinks: ["alpha"] });
    expect(io.stdout.lines).toEqual(["waiting for sinks: 1 of 3 (alpha)"]);
  });

  test.each(["plain", "quiet", "none"] as const)("says on standard error how far it is (%s)", (kind) => {
    const { io, take, status } = plain(kind);
    status();
    take({ type: "waiting", needed: 3, sinks: ["alpha"] });
    status();
    take({ type: "progress", progress: sampleProgress(), sinks: [sampleSink("alpha")] });
    status();
    expect(io.stderr.lines).toEqual([
      "fanfold: starting",
      "fanfold: waiting for sinks: 1 of 3 (alpha)",
      expect.stringMatching(/^fanfold: 25%, 1\.0 GiB of 4\.0 GiB, 5,000 of 20,000 files, /),
    ]);
  });

  test("names ten of many sinks: those in trouble, and the slowest", () => {
    const { io, take, status } = plain();
    const sinks = Array.from({ length: 22 }, (_, index) =>
      sampleSink(`vm-${index}`, {
        ...(index === 20 ? { state: "away" } : {}),
        progress: sampleProgress({ bytesDone: 2 ** 30 * (1 + (index % 11)) }),
      }),
    );
    take({ type: "progress", progress: sampleProgress(), sinks });
    status();
    const named = /\((.*)\)/.exec(io.stderr.text)?.[1]?.split(", ");
    expect(named?.map((text) => text.split(" ")[0])).toEqual([
      ...["vm-20", "vm-0", "vm-1", "vm-2", "vm-3", "vm-4", "vm-11", "vm-12", "vm-13", "vm-14", "+12"],
    ]);
  });

  test("prints warnings and failed sinks on standard error", () => {
    const { io, take } = plain();
    take({ type: "warning", code: "x", message: "others can read it" });
    take({ type: "sink", name: "beta", outcome: failed });
    expect(io.stderr.lines).toEqual([
      "fanfold: warning: others can read it",
      'fanfold: sink beta failed: cannot write "x": no space left',
    ]);
    expect(io.stdout.text).toBe("");
  });

  test("prints files only under --verbose", () => {
    const file: SourceEvent = { type: "file", path: "a/b", bytes: 2048 };
    const [calm, talking] = [plain(), plain("plain", true)];
    calm.take(file);
    talking.take(file);
    expect(calm.io.stdout.text).toBe("");
    expect(talking.io.stdout.lines).toEqual(["sent: a/b (2.0 KiB)"]);
  });

  test("prints nothing but what went wrong under --quiet", () => {
    const { io, take } = plain("quiet");
    take({ type: "waiting", needed: 1, sinks: [] });
    take({
      type: "finished",
      summary: sampleSummary({
        result: "incomplete",
        problemCount: 1,
        problems: [{ path: "etc/shadow", kind: "unreadable", message: "permission denied" }],
      }),
    });
    expect(io.stdout.text).toBe("");
    expect(io.stderr.text).toContain("etc/shadow: permission denied");
  });
});

test("JsonPresenter writes one object a line, its time first, and nothing else", () => {
  const io = memoryIo();
  const presenter = new JsonPresenter(sourceView, io);
  presenter.take({ type: "warning", code: "x", message: "two\nlines" });
  presenter.take({ type: "waiting", needed: 1, sinks: [] });
  expect(io.stdout.lines).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","type":"warning","code":"x","message":"two\\nlines"}',
    '{"time":"1970-01-01T00:00:00.000Z","type":"waiting","needed":1,"sinks":[]}',
  ]);
  expect(io.stderr.text).toBe("");
});

test("JsonPresenter says on standard error how far it is; standard output has events alone", () => {
  const io = memoryIo();
  const presenter = new JsonPresenter(sourceView, io);
  presenter.status();
  presenter.take({ type: "waiting", needed: 3, sinks: ["alpha"] });
  presenter.status();
  expect(io.stderr.lines).toEqual(["fanfold: starting", "fanfold: waiting for sinks: 1 of 3 (alpha)"]);
  expect(io.stdout.lines).toHaveLength(1);
});
