import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CASES } from "../../bench/delta/cases.ts";
import { writeDump } from "../../bench/delta/dump.ts";
import { deltaGoalRows } from "../../bench/delta/goal-rows.ts";
import { plan, readDeltaOptions } from "../../bench/delta/options.ts";
import type { CaseResult } from "../../bench/delta/table.ts";

const MIB = 1024 * 1024;

function planned(name: string, ...args: readonly string[]): object {
  const options = readDeltaOptions(args);
  const one = CASES.find((each) => each.name === name);
  if (options === "help" || one === undefined) throw new Error("want a case");
  return plan(one, options);
}

/** One run of a contender. */
function score(key: "rsync" | "auto", wallMs: number, sentMib: number): CaseResult["scores"][number] {
  const run = { wallMs, cpuMs: 0, peakBytes: {}, cpuMsByRole: {}, sentBytes: sentMib * MIB };
  return { key, name: key, runs: [run], failures: [] };
}

const PAGES = { workload: "pages", title: "", bytes: 1024 * MIB, link: 200, sinks: 3, inMemory: true } as const;

describe("the bench of changed files", () => {
  test("has defaults of its cases, of which options have their way", () => {
    expect(planned("pages")).toMatchObject({ bytes: 1024 * MIB, link: 200, sinks: 3, runs: 3 });
    expect(planned("day")).toMatchObject({ bytes: 5e9, link: 50, runs: 1, contenders: ["rsync", "auto"] });
    expect(planned("gigabit", "--mbits", "50")).toMatchObject({ link: 1000 });
    const asked = planned("day", "--size", "64M", "--mbits", "none", "--runs", "2", "--contenders", "on");
    expect(asked).toMatchObject({ bytes: 64 * MIB, link: "none", runs: 2, contenders: ["on"] });
    expect(() => readDeltaOptions(["--only", "page"])).toThrow('found "page"');
    expect(() => readDeltaOptions(["--size", "1T"])).toThrow('found "1T"');
  });

  test("compares what went out with what rsync sends to one, and says of whom there is nothing", () => {
    const rows = deltaGoalRows([{ ...PAGES, scores: [score("rsync", 10_000, 300), score("auto", 4000, 110)] }]);
    const nowOf = (what: string) => rows.find((row) => row.what === what)?.now;
    expect(nowOf("1 % of pages: sent, to rsync's to one sink")).toBeCloseTo(1.1);
    expect(nowOf("1 % of pages: wall time, to rsync to three")).toBeCloseTo(0.4);
    expect(nowOf("the same, delta off")).toBe("who is to be measured took no part");
    expect(rows.some(({ what }) => what.startsWith("rename"))).toBe(false);
  });

  test("makes dumps of which so many rows have changed, where it says so", () => {
    const folder = mkdtempSync(join(tmpdir(), "fanfold-dump-"));
    try {
      const rowsOf = (changed?: { readonly from: number; readonly share: number }): string[] => {
        writeDump(join(folder, "dump"), 4 * MIB, changed);
        return readFileSync(join(folder, "dump"), "utf8").split("\n");
      };
      const [old, recent] = [rowsOf(), rowsOf({ from: 0.9, share: 0.2 })];
      expect(recent.length).toBe(old.length);
      const changed = old.flatMap((row, index) => (row === recent[index] ? [] : [index / old.length]));
      expect(changed.length / old.length).toBeCloseTo(0.02, 2);
      expect(Math.min(...changed)).toBeGreaterThanOrEqual(0.89);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
