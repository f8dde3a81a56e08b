import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { stringWidth } from "../../../src/cli/view/text/fit.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { Tmux } from "../../helpers/processes/tmux.ts";
import { E2E_MS, expectCopy } from "../copying.ts";

const WIDE_NAME = "写真のフォルダー/とても長い名前の写真ファイル-👨‍👩‍👧-é-0123456789.jpg";

const POLL = { timeout: 100_000, interval: 200 };

function makeTree(folder: string, bytes: number): void {
  mkdirSync(`${folder}/写真のフォルダー`, { recursive: true });
  writeFileSync(`${folder}/${WIDE_NAME}`, Buffer.alloc(bytes, "a line of text that repeats itself\n"));
}

/** Begins at the foot of the terminal, as behind a prompt: near its top, tmux lets a part of the screen scroll away. */
function command(args: readonly string[]): readonly string[] {
  return ["sh", "-c", 'seq 24; exec "$@"', "sh", process.execPath, COMMAND, ...args];
}

/** No line is wider than the terminal, and each part of the screen is there once. */
function expectWhole(lines: readonly string[], columns: number): void {
  for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
  expect(
    lines.filter((line) => /\d%/.test(line)),
    lines.join("\n"),
  ).toHaveLength(1);
  expect(lines.filter((line) => / of \d.* of /.test(line) || / of 4\.0 MiB/.test(line)).length).toBeLessThanOrEqual(1);
}

describe.skipIf(!programsAvailable("tmux"))("the screen of a copy on a real terminal", { timeout: E2E_MS }, () => {
  test.each([20, 40, 80, 200, 1000])(
    "holds together at %d columns, and when it is resized in mid-copy",
    async (columns) => {
      await using lab = await CliLab.open("open");
      makeTree(lab.path("source"), 4 * 1024 * 1024);
      const coordinatorState = ["--state-dir", lab.path("coordinator")];
      const { address } = await lab.coordinator({ args: coordinatorState });
      const sinks = ["alpha", "beta"].map((name) => lab.sink(address, lab.path(name), ["--name", name]));
      for (const sink of sinks) await sink.event("waiting");
      const options = ["--coordinator", address, "--dest-count", "2", "--bwlimit", "100K", "--compress", "off"];
      const state = ["--state-dir", lab.path("state")];
      using tmux = new Tmux(command(["source", ...options, ...state, lab.path("source")]), {
        folder: lab.folder,
        columns,
        rows: 24,
      });
      expectWhole(await tmux.shows(/\d%/), columns);
      const sizes = [columns + 20, Math.ceil(columns * 0.75), columns];
      for (const width of sizes) {
        tmux.resize(width, 24);
        // Until it is drawn anew, the frame of the old size is there with its lines broken.
        await vi.waitFor(() => expectWhole(tmux.screen, width), POLL);
      }
      // Enough was seen.
      expect(await lab.command(["limit", ...coordinatorState, "default", "off"])).toMatchObject({ status: 0 });
      await tmux.shows(/digest/);
      for (const sink of sinks) expect(await sink.exit()).toBe(0);
      await expectCopy(lab.path("source"), lab.path("alpha"));
      // Of all frames none is left: neither on the screen nor in what scrolled away.
      expect(tmux.everything.filter((line) => /\d%.*left|█|░|写真/.test(line))).toEqual([]);
    },
  );

  test("folds twenty sinks: those in trouble and the slowest have a line, the others are counted", async () => {
    await using lab = await CliLab.open("open");
    const program = new URL("../../cli/terminal/screen-program.ts", import.meta.url).pathname;
    using tmux = new Tmux([process.execPath, program], { folder: lab.folder, columns: 80, rows: 24 });
    const screen = await tmux.shows(/\+9 more: 9 receiving/);
    const sinks = (lines: readonly string[]) => lines.flatMap((line) => /^(vm-\d+) /.exec(line)?.[1] ?? []);
    expect(sinks(screen)).toEqual(["vm-18", "vm-17", ...Array.from({ length: 9 }, (_, index) => `vm-${index}`)]);
    tmux.resize(80, 60);
    expect(sinks(await tmux.shows(/^vm-19 /m))).toHaveLength(20);
    tmux.resize(40, 12);
    const narrow = await tmux.shows(/\+15 more: 15/);
    expect(sinks(narrow)).toEqual(["vm-18", "vm-17", "vm-0", "vm-1", "vm-2"]);
    expectWhole(narrow, 40);
    tmux.resize(200, 24);
    expect(sinks(await tmux.shows(/\+9 more: 9 receiving/))).toHaveLength(11);
  });
});
