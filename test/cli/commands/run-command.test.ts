import { describe, expect, test } from "vitest";
import { runCommand } from "../../../src/cli/commands/run-command.ts";
import { statusOfOutcome } from "../../../src/cli/process/exit-status.ts";
import type { SharedOptions } from "../../../src/cli/terminal/output-mode.ts";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import type { SinkOutcome } from "../../../src/protocol/messages/progress.ts";
import { memoryIo } from "../terminal/memory-io.ts";
import { sampleOutcome } from "../terminal/sample-events.ts";

/** A role that says what it is told to, and ends as it is told to. */
async function run(
  events: readonly SinkEvent[],
  result: () => Promise<SinkOutcome>,
  options: SharedOptions & { readonly lasts?: boolean } = {},
) {
  const { lasts = false } = options;
  const io = memoryIo();
  async function* said(): AsyncGenerator<SinkEvent> {
    yield* events;
  }
  const start = async () => ({ events: said(), result: result() });
  const status = await runCommand({ view: sinkView, options, io, lasts, start, statusOf: statusOfOutcome });
  return { status, out: io.stdout.lines, err: io.stderr.lines };
}

const finished: SinkEvent = { type: "finished", outcome: sampleOutcome("alpha"), elapsedMs: 40_000 };

describe("runCommand()", () => {
  test("shows every event before it gives the status of the result", async () => {
    const { status, out, err } = await run([{ type: "waiting", underWay: false }, finished], async () =>
      sampleOutcome("alpha"),
    );
    expect(status).toBe(0);
    expect(out.slice(0, 2)).toEqual(["waiting for a source", "proven: 20,000 files, 4.0 GiB in 40.0 s"]);
    expect(err).toEqual([]);
  });

  test("says what went wrong in one line and gives the status of its code", async () => {
    const { status, err } = await run([], () =>
      Promise.reject(new FanfoldError("broker-denied", "Connect to the broker: it refused the password")),
    );
    expect(status).toBe(6);
    expect(err).toEqual(["fanfold: Connect to the broker: it refused the password"]);
  });

  test("calls anything unexpected an internal error, and shows its stack under --verbose only", async () => {
    const fail = () => Promise.reject(new TypeError("x is not a function"));
    expect(await run([], fail)).toEqual({ status: 1, out: [], err: ["fanfold: internal error: x is not a function"] });
    const { err } = await run([], fail, { verbose: true });
    expect(err.slice(0, 2)).toEqual(["fanfold: internal error: x is not a function", "TypeError: x is not a function"]);
  });

  test("ends a failed run under --json with an object of type error", async () => {
    const { out, err } = await run(
      [finished],
      () => Promise.reject(new FanfoldError("source-lost", "The source left")),
      { json: true },
    );
    expect(out.map((line) => JSON.parse(line))).toMatchObject([
      { type: "finished" },
      { type: "error", code: "source-lost", message: "The source left" },
    ]);
    expect(err).toEqual(["fanfold: The source left"]);
  });

  describe("of a command that lasts", () => {
    const lost = () => Promise.reject(new FanfoldError("source-lost", "The source left"));

    test("begins each line with the time, errors too", async () => {
      const { out, err } = await run([{ type: "waiting", underWay: false }], lost, { lasts: true });
      expect(out).toEqual(["1970-01-01T00:00:00.000Z waiting for a source"]);
      expect(err).toEqual(["1970-01-01T00:00:00.000Z fanfold: The source left"]);
    });

    test("has the time in the events of --json only once", async () => {
      const { out, err } = await run([{ type: "waiting", underWay: false }], lost, { lasts: true, json: true });
      expect(out[0]).toBe('{"time":"1970-01-01T00:00:00.000Z","type":"waiting","underWay":false}');
      expect(err).toEqual(["1970-01-01T00:00:00.000Z fanfold: The source left"]);
    });
  });
});
