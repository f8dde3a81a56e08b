import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectDocumentedEvents, type SourceProcess } from "../copying.ts";

const SOON = ["--every", "1s", "--jitter", "1ms"];

/** A tree, a coordinator, a sink that stays, and a program that notes how it was called. */
async function labOf() {
  const lab = await CliLab.open();
  const from = lab.path("source");
  makeManyFiles(from, 5);
  const program = lab.path("note");
  const noted = lab.path("noted");
  const lines = [
    "#!/bin/sh",
    `{ env | grep FANFOLD_ | sort; cat; } > '${noted}'.$$`,
    `mv '${noted}'.$$ '${noted}'.$$.done`,
  ];
  writeFileSync(program, `${lines.join("\n")}\n`);
  chmodSync(program, 0o755);
  const notes = (): string[] =>
    readdirSync(lab.folder)
      .filter((name) => name.startsWith("noted.") && name.endsWith(".done"))
      .map((name) => readFileSync(lab.path(name), "utf8"));
  return { lab, from, program, notes };
}

async function stopped(source: SourceProcess): Promise<void> {
  source.signal("SIGTERM");
  expect(await source.exit()).toBe(143);
}

describe.concurrent("fanfold source", { timeout: E2E_MS }, () => {
  test("with --every copies what changed, one run after another, and tells a program of each", async () => {
    const { lab, from, program, notes } = await labOf();
    await using _ = lab;
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("copy"), ["--stay"]);
    await sink.event("waiting");
    const source = lab.source(address, from, [...SOON, "--on-success", program, "--on-failure", program]);
    expect((await source.event("finished")).summary.result).toBe("complete");
    await expectCopy(from, lab.path("copy"));
    writeFileSync(`${from}/new`, "new");
    const changed = await source.event("finished", { where: ({ summary }) => summary.bytesSent === 3 });
    expect(changed.summary).toMatchObject({ result: "complete", files: 6 });
    expect(
      (await source.event("finished", { where: ({ summary }) => summary.result === "unchanged" })).summary.files,
    ).toBe(6);
    await stopped(source);
    await expectCopy(from, lab.path("copy"));
    const told = notes();
    expect(told.length).toBeGreaterThanOrEqual(2);
    for (const text of told)
      expect(text).toMatch(
        /^FANFOLD_RUN_RESULT=(complete|unchanged)\nFANFOLD_RUN_SESSION=default\nFANFOLD_RUN_STATUS=0\nFANFOLD_RUN_TIME=\S+\n\{"time"/,
      );
    expectDocumentedEvents(source);
  });

  test("with --every goes on after a run that failed, which it tells a program of, and tries again later each time", async () => {
    const { lab, from, program, notes } = await labOf();
    await using _ = lab;
    const nobody = "127.0.0.1:1";
    const args = ["--every", "1d", "--jitter", "1ms", "--connect-timeout", "10ms", "--on-failure", program];
    const source = lab.source(nobody, from, args);
    const { code } = await source.event("warning");
    expect(code).toBe("coordinator-unreachable");
    const { at, failures } = await source.event("scheduled", { nth: 2 });
    expect(failures).toBe(1);
    const { at: first } = await source.event("scheduled");
    // A minute later, and not a day.
    expect(Date.parse(at) - Date.parse(first)).toBeGreaterThanOrEqual(60_000);
    expect(Date.parse(at) - Date.parse(first)).toBeLessThan(3_600_000);
    await stopped(source);
    expect(notes()).toEqual([
      expect.stringMatching(/^FANFOLD_RUN_CODE=coordinator-unreachable\nFANFOLD_RUN_RESULT=failed\n/),
    ]);
  });

  test("with --every makes up at its next start what was missed, and else waits for the rest of the time", async () => {
    const { lab, from } = await labOf();
    await using _ = lab;
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("copy"), ["--stay"]);
    await sink.event("waiting");
    const first = lab.source(address, from, ["--every", "1h", "--jitter", "1ms"]);
    await first.event("finished");
    first.signal("SIGKILL");
    await first.exit();
    const waiting = lab.source(address, from, ["--every", "1h", "--jitter", "1ms"]);
    const { at } = await waiting.event("scheduled");
    const { at: before } = await first.event("scheduled");
    expect(Date.parse(at) - Date.parse(before)).toBeGreaterThan(3_500_000);
    await stopped(waiting);
    const late = lab.source(address, from, SOON);
    await late.event("finished");
    await stopped(late);
  });

  test("with --at waits for the time, and says when that is", async () => {
    const { lab, from } = await labOf();
    await using _ = lab;
    const source = lab.source("127.0.0.1:1", from, ["--at", "monthly 1 03:00", "--jitter", "1ms"], {
      env: { TZ: "Europe/Berlin" },
    });
    const { at } = await source.event("scheduled");
    expect(at).toMatch(/-01T0[12]:00:00\.\d+Z$|-(30|31|28|29)T0[12]:00/);
    await stopped(source);
    expect(existsSync(lab.path("copy"))).toBe(false);
  });

  test.each([
    [["--at", "daily 25:00"], /cannot read --at "daily 25:00"/],
    [["--every", "1h", "--at", "daily 01:00"], /cannot be used with/],
    [["--every", "1h", "--dry-run"], /cannot be used with/],
    [["--jitter", "1m"], /cannot read --jitter/],
  ])("refuses %j", async (args, text) => {
    const { lab, from } = await labOf();
    await using _ = lab;
    const source = lab.start(["source", ...args, from], { plain: true });
    const status = await source.exit();
    expect(status).toBe(2);
    expect(source.stderr).toMatch(text);
  });

  test("without a schedule runs the program behind its only run; one that fails is a warning, and no more", async () => {
    const { lab, from } = await labOf();
    await using _ = lab;
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("copy"));
    await sink.event("waiting");
    const bad = lab.path("bad");
    writeFileSync(bad, "#!/bin/sh\necho no disk today\nexit 4\n");
    chmodSync(bad, 0o755);
    const source = lab.source(address, from, ["--on-success", bad]);
    expect(await source.exit()).toBe(0);
    expect(source.shown()).toMatch(
      /warning: cannot end a run that succeeded by the command ".*bad": it ended with status 4; it said: no disk today/,
    );
  });
});
