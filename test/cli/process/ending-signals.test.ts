import { expect, test } from "vitest";
import { catchEndingSignals } from "../../../src/cli/process/ending-signals.ts";

test("the first signal aborts, each one after it is counted, and none is caught any more afterwards", () => {
  const before = process.listenerCount("SIGINT");
  const next: [string, number][] = [];
  {
    using signals = catchEndingSignals((signal, count) => next.push([signal, count]));
    expect(signals.abort.aborted).toBe(false);
    process.emit("SIGTERM", "SIGTERM");
    expect(signals.abort.reason).toMatchObject({ code: "interrupted", message: "Stopped by SIGTERM" });
    process.emit("SIGINT", "SIGINT");
    process.emit("SIGINT", "SIGINT");
    expect(signals.received).toBe("SIGTERM");
  }
  expect(next).toEqual([
    ["SIGINT", 2],
    ["SIGINT", 3],
  ]);
  expect(process.listenerCount("SIGINT")).toBe(before);
});
