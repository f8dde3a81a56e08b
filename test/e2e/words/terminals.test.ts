import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS } from "../copying.ts";

/** A shell's line that runs the command on a terminal of that size: `script` gives it one, and passes on what it shows. */
function onTerminal(args: readonly string[], size: string): string {
  const words = [process.execPath, COMMAND, ...args].map((word) => `'${word}'`).join(" ");
  return `exec script -qec "stty ${size}; exec ${words}" /dev/null`;
}

const KIND = { plain: true, env: { TERM: "xterm-256color" } };

describe.skipIf(!programsAvailable("script"))("a terminal that nobody looks at", { timeout: E2E_MS }, () => {
  test("may have no columns: the coordinator on it answers, and writes little", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 50);
    const port = await freePort();
    const line = onTerminal(["coordinator", "--port", String(port)], "cols 0 rows 0");
    const coordinator = lab.run("sh", ["-c", line], KIND);
    await copyAndCompare(lab, { address: `localhost:${port}`, from: lab.path("source"), to: [lab.path("sink")] });
    coordinator.signal("SIGTERM");
    await coordinator.exit();
    expect(coordinator.stdout).toContain("waiting for a source and sinks");
    expect(coordinator.stdout.length).toBeLessThan(1024 * 1024);
  });

  test("may not read: the copy is made all the same", async () => {
    await using lab = await CliLab.open();
    // Their names are more than all buffers on the way hold.
    makeManyFiles(lab.path("source"), 5000);
    const { address } = await lab.coordinator();
    const fifo = lab.path("unread");
    execFileSync("mkfifo", [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(reader));
    const sink = lab.sink(address, lab.path("sink"));
    const args = ["source", "--verbose", "--coordinator", address, lab.path("source")];
    lab.run("sh", ["-c", `${onTerminal(args, "cols 80 rows 24")} > '${fifo}'`], KIND);
    expect(await sink.exit()).toBe(0);
    expect(await sink.event("finished")).toMatchObject({ outcome: { outcome: "proven", filesDone: 5000 } });
  });
});
