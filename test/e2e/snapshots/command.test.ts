import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectDocumentedEvents } from "../copying.ts";

/** A program that notes what it is told, and fails while a file is there. */
function makeProgram(lab: CliLab): {
  readonly program: string;
  readonly told: () => string[];
  readonly trouble: string;
} {
  const [program, log, trouble] = [lab.path("snap it"), lab.path("told"), lab.path("trouble")];
  const lines = [
    "#!/bin/sh",
    `echo "$# $FANFOLD_SNAPSHOT_SESSION $FANFOLD_SNAPSHOT_FILES $FANFOLD_SNAPSHOT_DIGEST" >> '${log}'`,
    `test "$(ls "$FANFOLD_SNAPSHOT_FOLDER/d0" | wc -l)" -gt 0 || exit 9`,
    `if test -e '${trouble}'; then echo no pool here; exit 3; fi`,
  ];
  writeFileSync(program, `${lines.join("\n")}\n`);
  chmodSync(program, 0o755);
  const told = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
  return { program, told, trouble };
}

describe("fanfold sink --snapshot-command", { timeout: E2E_MS }, () => {
  test("runs the program behind each copy that changed something, and again when it failed", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 6);
    const { program, told, trouble } = makeProgram(lab);
    const { address } = await lab.coordinator();
    const copy = async () => {
      const sink = lab.sink(address, folder, ["--snapshot-command", program]);
      const source = lab.source(address, from, ["--delete"]);
      expect([await source.exit(), await sink.exit()], sink.shown()).toEqual([0, 0]);
      expectDocumentedEvents(sink);
      const { summary } = await source.event("finished");
      const warnings = sink.events.flatMap((event) => (event.type === "warning" ? [event] : []));
      return { digest: summary.digest, warnings };
    };
    const first = await copy();
    expect([told(), first.warnings]).toEqual([[`0 default 6 ${first.digest}`], []]);
    await copy();
    expect(told()).toHaveLength(1);
    // What was deleted is a change, too.
    rmSync(join(from, "d0/f0"));
    writeFileSync(trouble, "");
    const failed = await copy();
    expect(failed.warnings).toMatchObject([{ code: "snapshot-command-failed" }]);
    expect(failed.warnings[0]?.message).toContain("it ended with status 3; it said: no pool here");
    rmSync(trouble);
    const again = await copy();
    expect(again.warnings).toEqual([]);
    expect(told().slice(1)).toEqual([`0 default 5 ${failed.digest}`, `0 default 5 ${again.digest}`]);
    await copy();
    expect(told()).toHaveLength(3);
  });

  test("is refused beside --snapshots", async () => {
    await using lab = await CliLab.open();
    const sink = lab.sink("localhost:1", lab.path("sink"), ["--snapshots", "--snapshot-command", "/bin/true"]);
    expect(await sink.failure()).toMatchObject({ code: "usage" });
    expect(await sink.exit()).toBe(2);
  });
});
