import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { CoordinatorEvent } from "../../src/protocol/messages/coordinator-events.ts";
import type { SinkEvent, SourceEvent } from "../../src/protocol/messages/events.ts";
import type { CopyProgress, SessionSummary } from "../../src/protocol/messages/progress.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import type { CliLab } from "../helpers/processes/cli.ts";
import type { CliProcess, ErrorEvent } from "../helpers/processes/cli-process.ts";
import { expectEqualTrees, partialsIn } from "../helpers/trees/tree-judge.ts";

export type SourceProcess = CliProcess<SourceEvent | ErrorEvent>;
export type SinkProcess = CliProcess<SinkEvent | ErrorEvent>;

/** For tests that start many processes on a small machine. */
export const E2E_MS = 180_000;

export interface CopyOrder {
  readonly address: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly session?: string;
  /** More options of the source. */
  readonly sourceArgs?: readonly string[];
}

/** One session of a source and its sinks, not awaited yet. */
export function startCopy(lab: CliLab, { address, from, to, session = "default", sourceArgs = [] }: CopyOrder) {
  const sinks = to.map((folder) => lab.sink(address, folder, ["--session", session]));
  const source = lab.source(address, from, [
    ...["--session", session, "--dest-count", String(to.length)],
    ...sourceArgs,
  ]);
  return { source, sinks };
}

/** Runs a whole session; fails unless every process ends well and every copy is equal, and tells of itself rightly. */
export async function copyAndCompare(lab: CliLab, order: CopyOrder): Promise<SessionSummary> {
  const { source, sinks } = startCopy(lab, order);
  const summary = await expectProven(source, sinks);
  for (const folder of order.to) await expectCopy(order.from, folder);
  return summary;
}

export async function expectCopy(from: string, to: string): Promise<void> {
  await expectEqualTrees(from, to);
  expect(partialsIn(to)).toEqual([]);
}

/** Waits for the end of a session in which everything went well. */
export async function expectProven(source: SourceProcess, sinks: readonly SinkProcess[]): Promise<SessionSummary> {
  const processes = [source, ...sinks];
  // All of them: who waits in vain seldom is who failed.
  const ends = await Promise.allSettled(processes.map((process) => process.exit()));
  if (ends.some((end) => end.status === "rejected" || end.value !== 0))
    throw new Error(`Wanted a proven copy:\n${processes.map((process) => process.shown()).join("\n\n")}`);
  const { summary } = await source.event("finished");
  expect(["complete", "unchanged"]).toContain(summary.result);
  expect(summary.sinks.map((sink) => sink.outcome)).toEqual(sinks.map(() => WHOLE));
  // A lane is a pass of its own: the directory may have changed since.
  for (const sink of summary.sinks.filter(({ caughtUp }) => !caughtUp)) expect(sink.digest).toBe(summary.digest);
  for (const process of processes) {
    expectGoodProgress(process);
    expectDocumentedEvents(process);
  }
  return summary;
}

/** Progress never goes backwards, unless a copy begins anew, and nothing is done that was not found. */
export function expectGoodProgress(process: SourceProcess | SinkProcess): void {
  let before: CopyProgress | undefined;
  for (const event of process.events) {
    if (event.type === "started") before = undefined;
    // A copy that begins anew.
    if (event.type === "started" || event.type === "lane") before = undefined;
    if (event.type !== "progress") continue;
    const { progress } = event;
    expect(progress.filesDone).toBeLessThanOrEqual(progress.filesFound);
    expect(progress.bytesDone).toBeLessThanOrEqual(progress.bytesFound);
    for (const field of ["filesFound", "filesDone", "bytesFound", "bytesDone", "elapsedMs"] as const)
      expect(progress[field], field).toBeGreaterThanOrEqual(before?.[field] ?? 0);
    if (before?.discoveryEnded === true) expect(progress.discoveryEnded).toBe(true);
    before = progress;
  }
}

const DOCUMENTED = new Set(
  [...readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8").matchAll(/^### ([\w-]+)/gm)].map(
    ([, name]) => name,
  ),
);

/** Every event has its name in docs/events.md, and the time it happened at. */
export function expectDocumentedEvents(process: CliProcess<SourceEvent | SinkEvent | CoordinatorEvent | ErrorEvent>) {
  const unknown = process.events.filter((event) => !DOCUMENTED.has(event.type));
  expect(unknown).toEqual([]);
  for (const event of process.events) expect(event).toHaveProperty("time", expect.stringMatching(/^\d{4}-.*Z$/));
}
