import { writeFileSync } from "node:fs";
import { expect } from "vitest";
import type { CliLab } from "../../helpers/processes/cli.ts";
import { content, makeManyFiles } from "../../helpers/trees/tree.ts";

const MIB = 1024 * 1024;
/** Of the source of these tests. */
export const TREE_MIB = 16;

/** Two sinks, the first one with trouble; slowly enough that it comes in mid-copy. */
export async function startTroubled(lab: CliLab, troubledFolder: string) {
  const { address } = await lab.coordinator();
  const order = { address, from: lab.path("source"), to: [troubledFolder, lab.path("well")] };
  const [troubled, well] = order.to.map((folder) => lab.sink(address, folder));
  if (troubled === undefined || well === undefined) throw new Error("Two sinks were started");
  const source = lab.source(address, order.from, ["--dest-count", "2", "--bwlimit", "1M"]);
  return { order, source, troubled, well, unlimit: () => lab.unlimit(address) };
}

export function makeSource(lab: CliLab): void {
  makeManyFiles(lab.path("source"), 100);
  for (let index = 0; index < 4; index += 1)
    writeFileSync(lab.path("source", `large-${index}`), content((TREE_MIB * MIB) / 4, index));
}

/** The source says who is missing and why, and the other sink has its copy. */
export async function expectOthersWell(
  { source, well, unlimit }: Pick<Awaited<ReturnType<typeof startTroubled>>, "source" | "well" | "unlimit">,
  code: string | RegExp,
): Promise<void> {
  await unlimit();
  expect(await well.exit(), well.shown()).toBe(0);
  expect(await source.exit(), source.shown()).toBe(4);
  const { summary } = await source.event("finished");
  const codes = summary.sinks.map((sink) => [sink.outcome, sink.code]).sort();
  expect(codes).toEqual([
    ["failed", typeof code === "string" ? code : expect.stringMatching(code)],
    ["proven", undefined],
  ]);
}

/** Writes until nothing more goes in. */
export function fill(path: string): void {
  const piece = Buffer.alloc(64 * 1024);
  for (;;) {
    try {
      writeFileSync(path, piece, { flag: "a" });
    } catch {
      return;
    }
  }
}
