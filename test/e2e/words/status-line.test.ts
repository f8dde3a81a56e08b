import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import type { CliProcess } from "../../helpers/processes/cli-process.ts";
import { E2E_MS } from "../copying.ts";

const SIGUSR1_BIT = 1n << 9n;

/** Whether a process would be told of SIGUSR1, instead of being ended by it. */
function catchesStatusSignal(pid: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${caught}`) & SIGUSR1_BIT) !== 0n;
}

/** Ports at which a process listens. */
function listeningPorts(pid: number): readonly number[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return "";
      }
    }),
  );
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === "0A" && own.has(`socket:[${cells[9]}]`))
      .map((cells) => Number.parseInt(cells[1]?.split(":")[1] ?? "", 16)),
  );
}

/** Asks again and again: what a member is to tell may still be on its way to it. */
async function saysWhenAsked(member: Pick<CliProcess<never>, "signal" | "says">, words: RegExp): Promise<void> {
  const asking = setInterval(() => member.signal("SIGUSR1"), 50);
  await member.says(words).finally(() => clearInterval(asking));
}

describe.skipIf(process.platform !== "linux")("SIGUSR1", { timeout: E2E_MS }, () => {
  test.concurrent.each([
    ["--json", []],
    ["plain lines", ["--progress", "plain"]],
    ["no progress", ["--progress", "none"]],
    ["--quiet", ["--quiet"]],
    ["a bar without a terminal", ["--progress", "bar"]],
  ] as const)("prints one line of every member, and ends nothing (%s)", async (how, args) => {
    await using lab = await CliLab.open("open");
    await mkdir(lab.path("source"));
    await writeFile(lab.path("source", "a"), Buffer.alloc(200_000));
    const mode = { plain: how !== "--json" };
    const coordinator = await lab.coordinator();
    const { address } = coordinator;
    coordinator.process.signal("SIGUSR1");
    await coordinator.process.says(/fanfold: waiting for a source and sinks/);
    const source = lab.source(address, lab.path("source"), ["--bwlimit", "4K", "--compress", "off", ...args], mode);
    await coordinator.process.event("registered");
    await saysWhenAsked(source, /fanfold: waiting for sinks: 0 of 1/);
    const sink = lab.sink(address, lab.path("sink"), args, mode);
    // Before Node.js runs the program, the signal would open its debugger, or end it.
    await coordinator.process.event("registered", { where: ({ role }) => role === "sink" });
    await Promise.all([
      saysWhenAsked(source, /^fanfold: .* of .*file/m),
      saysWhenAsked(sink, /^fanfold: .* of .*file/m),
      saysWhenAsked(coordinator.process, /fanfold: default: running, .* of .*file/),
    ]);
    await lab.unlimit(address);
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    expect(`${source.stderr}${sink.stderr}`).not.toContain("Debugger");
  });

  test("is survived from the first moment that Node.js catches it, and opens no debugger", async () => {
    await using lab = await CliLab.open("open");
    const sink = lab.sink("localhost:1", lab.path("sink"));
    while (!catchesStatusSignal(sink.pid)) await turn();
    sink.signal("SIGUSR1");
    await sink.event("connecting", { nth: 2 });
    sink.signal("SIGUSR1");
    await sink.says(/fanfold: waiting for the coordinator at localhost:1 \(attempt /);
    await expect.poll(() => listeningPorts(sink.pid)).toEqual([]);
    sink.signal("SIGTERM");
    expect(await sink.exit()).toBe(143);
  });

  test("is survived by a command that is over at once", async () => {
    await using lab = await CliLab.open("open");
    const identity = lab.start(["--version"], { plain: true });
    while (!catchesStatusSignal(identity.pid)) await turn();
    identity.signal("SIGUSR1");
    expect(await identity.exit()).toBe(0);
  });
});
