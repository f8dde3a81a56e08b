import { describe, expect, test } from "vitest";
import { type Figure, type Reports, readFigure } from "../../bench/goals/figures.ts";
import { type FoundRun, readReport } from "../../bench/goals/findings.ts";
import { GOALS } from "../../bench/goals/goals.ts";
import { PARTS } from "../../bench/goals/parts.ts";
import { goalRows, goalTable } from "../../bench/goals/table.ts";

const MIB = 1024 * 1024;

function run(wallMs: number, more: Partial<FoundRun> = {}): FoundRun {
  return { wallMs, cpuMs: 2 * wallMs, peakBytes: {}, cpuMsByRole: {}, ...more };
}

function score(name: string, runs: readonly FoundRun[], failures: readonly string[] = []): object {
  return { name, runs, failures };
}

/** As `npm run bench` writes them. */
const COPIES = JSON.stringify({
  entrants: [
    { name: "fanfold embedded", version: "1" },
    { name: "tar, mbuffer", missing: "not installed" },
  ],
  results: [
    {
      workload: { name: "big", files: 1 },
      sinks: 3,
      scores: [
        score("fanfold embedded", [
          run(3000, { cpuMsByRole: { sink: 900, source: 500 }, peakBytes: { sink: 120 * MIB, broker: 900 * MIB } }),
          run(1000, { cpuMsByRole: { sink: 600, source: 500 }, peakBytes: { sink: 130 * MIB } }),
          run(2000, { cpuMsByRole: { sink: 300, source: 500 }, peakBytes: { source: 150 * MIB } }),
        ]),
        score("rsync daemon", [run(4000, { cpuMsByRole: { client: 300, daemon: 1000 } })]),
        score("cp -a", [], ["no room"]),
      ],
    },
  ],
});
const LINK = JSON.stringify({
  sinks: 8,
  results: [{ workload: "tiny", scores: [score("rsync daemon", [run(10)])] }],
});
const FIRST_BYTE = JSON.stringify({
  sinks: 3,
  results: { embedded: [run(1, { firstByteMs: 700 }), run(1, { firstByteMs: 500 })] },
});

const REPORTS: Reports = {
  copies: readReport(COPIES),
  uplink: readReport(LINK),
  "first-byte": readReport(FIRST_BYTE),
  brokers: { missing: "nobody answers" },
};
const BIG = { part: "copies", workload: "big", sinks: 3, contender: "fanfold embedded" };
const RSYNC = { contender: "rsync daemon" };

describe("readFigure()", () => {
  test.each<[string, Figure, number]>([
    ["wall time to that of a peer", { kind: "wall", at: BIG, to: RSYNC }, 0.5],
    ["speed in per cent of a peer's", { kind: "speed", at: BIG, to: RSYNC }, 200],
    ["CPU time of all processes to a peer's", { kind: "cpu", at: BIG, to: RSYNC }, 0.5],
    [
      "CPU time of one sink to that of one client",
      { kind: "cpu", at: { ...BIG, role: "sink" }, to: { ...RSYNC, role: "client" } },
      2,
    ],
    [
      "CPU time of the source to the daemon's",
      { kind: "cpu", at: { ...BIG, role: "source" }, to: { ...RSYNC, role: "daemon" } },
      0.5,
    ],
    ["seconds of one sink", { kind: "cpu seconds", at: { ...BIG, role: "sink" } }, 0.2],
    ["the first byte", { kind: "first byte", at: { ...BIG, part: "first-byte", workload: "files" } }, 0.6],
    ["peak memory without a broker's", { kind: "peak", of: ["fanfold embedded"] }, 150],
  ])("reads %s", (_what, figure, wanted) => {
    expect(readFigure(figure, REPORTS)).toBeCloseTo(wanted);
  });

  test.each<[string, Figure, string]>([
    ["a part that could not run", { kind: "wall", at: { ...BIG, part: "brokers" }, to: RSYNC }, "nobody answers"],
    ["a part that nobody asked for", { kind: "wall", at: { ...BIG, part: "sinks" }, to: RSYNC }, "not asked for"],
    [
      "a contender that is not installed",
      { kind: "wall", at: BIG, to: { contender: "tar, mbuffer" } },
      "tar, mbuffer: not installed",
    ],
    ["runs that all failed", { kind: "wall", at: BIG, to: { contender: "cp -a" } }, "no room"],
    [
      "another number of sinks",
      { kind: "wall", at: { ...BIG, sinks: 8 }, to: RSYNC },
      "fanfold embedded: took no part",
    ],
    ["contenders that never ran", { kind: "peak", of: ["fanfold nats"] }, "nothing ran"],
  ])("says why there is no figure: %s", (_what, figure, reason) => {
    expect(readFigure(figure, REPORTS)).toBe(reason);
  });
});

test("readReport() takes the number of sinks from the head where results have none", () => {
  const report = readReport(LINK);
  expect(report).toMatchObject({ findings: [{ workload: "tiny", sinks: 8, contender: "rsync daemon" }] });
});

test("goalTable() shows figures with their units, goals, and what is missing", () => {
  const rows = goalRows(
    [
      { what: "big", figure: { kind: "wall", at: BIG, to: RSYNC }, goal: 1 },
      { what: "peak", figure: { kind: "peak", of: ["fanfold embedded"] }, digits: 0 },
      { what: "brokers", figure: { kind: "speed", at: { ...BIG, part: "brokers" }, to: RSYNC }, goal: 95, digits: 0 },
    ],
    REPORTS,
  );
  const lines = goalTable(rows).split("\n");
  const cells = lines.slice(2).map((line) => line.split("|").map((cell) => cell.trim()));
  expect(cells.map((row) => row.slice(1, -1))).toEqual([
    ["big", "0.50", "1.00"],
    ["peak", "150 MiB", ""],
    ["brokers", "missing: nobody answers", "95 %"],
  ]);
});

test("GOALS name parts that there are", () => {
  const names = PARTS.map(({ name }) => name);
  const asked = GOALS.flatMap(({ figure }) => ("at" in figure ? [figure.at.part] : []));
  expect(asked.filter((part) => !names.includes(part))).toEqual([]);
});
