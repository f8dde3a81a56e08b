/**
 * What many connections that go no further cost a coordinator, and a copy beside them. `npm run bench:idle-connections -- --help`
 */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startGuarded } from "../test/e2e/access/guarded.ts";
import { CliLab } from "../test/helpers/processes/cli.ts";
import { MemoryWatch } from "../test/helpers/processes/memory-watch.ts";
import { makeLongFile } from "../test/helpers/trees/tree.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { MEMORY_FOLDER, wholeNumber } from "./options.ts";
import { markdownTable, seconds } from "./report.ts";

const MIB = 1024 * 1024;
const USAGE = `npm run bench:idle-connections -- [options]
  --connections N   that are opened at once (default: 17000)
  --mib N           of the copy beside them, at 16 MiB a second (default: 192)`;

interface Case {
  readonly name: string;
  readonly isGuarded: boolean;
  /** From how many addresses of this machine they come; none: the copy alone. */
  readonly addresses: number;
}

const CASES: readonly Case[] = [false, true].flatMap((isGuarded) => {
  const mode = isGuarded ? "TLS and tokens" : "open, on loopback";
  return [
    { name: `${mode}: none`, isGuarded, addresses: 0 },
    { name: `${mode}: from one address`, isGuarded, addresses: 1 },
    { name: `${mode}: from 100 addresses`, isGuarded, addresses: 100 },
  ];
});

interface Figures {
  readonly copyMs: number;
  /** The longest time between two reports of the source that it has done more. */
  readonly pauseMs: number;
  readonly peakBytes: number;
  readonly open: number;
  readonly isProven: boolean;
  /** Of a sink that came while they were open. */
  readonly joinMs: number;
}

async function runOnce({ isGuarded, addresses }: Case, connections: number, mib: number): Promise<Figures> {
  await using lab = await CliLab.open(isGuarded ? "guarded" : "open");
  const from = lab.path("source");
  mkdirSync(from);
  makeLongFile(join(from, "long"), mib);
  const guarded = isGuarded ? await startGuarded(lab) : undefined;
  const { process: coordinator, address } = guarded ?? (await lab.coordinator());
  const port = Number(/:(\d+)$/.exec(address)?.[1]);
  const tokenOf = async (role: "source" | "sink") =>
    guarded === undefined ? {} : { env: { FANFOLD_TOKEN: await guarded.token(role) } };
  using memory = new MemoryWatch(new Map([["coordinator", coordinator.pid]]));
  const early = lab.sink(address, lab.path("early"), [], await tokenOf("sink"));
  await early.event("waiting");
  const source = lab.source(address, from, ["--bwlimit", "16M"], await tokenOf("source"));
  await source.event("started");
  const began = performance.now();
  using pauses = new PauseWatch(source.events);
  const crowd = new Crowd(port);
  if (addresses > 0) await crowd.open(connections, addresses);
  const asked = performance.now();
  const late = lab.sink(address, lab.path("late"), ["--session", "another"], await tokenOf("sink"));
  await late.event("waiting");
  const joinMs = performance.now() - asked;
  await source.event("finished");
  const copyMs = performance.now() - began;
  const open = crowd.openNow;
  const peakBytes = memory.peakBytes.get("coordinator") ?? 0;
  const isProven = (await source.exit()) === 0 && (await early.exit()) === 0;
  crowd.close();
  late.signal("SIGTERM");
  await late.exit();
  return { copyMs, pauseMs: pauses.longestMs, peakBytes, open, isProven, joinMs };
}

/** How long the source at most said nothing new of its progress: it says so four times a second. */
class PauseWatch implements Disposable {
  longestMs = 0;
  readonly #timer: NodeJS.Timeout;
  #seen = 0;
  #sinceMs = performance.now();

  constructor(events: readonly object[]) {
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.longestMs = Math.max(this.longestMs, nowMs - this.#sinceMs);
      if (events.length === this.#seen) return;
      this.#seen = events.length;
      this.#sinceMs = nowMs;
    }, 50);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Connections that send nothing. Those that the port cuts are not made again. */
class Crowd {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  openNow = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async open(count: number, addresses: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      const localAddress = `127.77.0.${(number % addresses) + 1}`;
      const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress });
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.resume();
      socket.once("connect", () => {
        this.openNow += 1;
        socket.once("close", () => {
          this.openNow -= 1;
        });
      });
      if (number % 100 === 99)
        await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => undefined);
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { connections: { type: "string" }, mib: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return void process.stdout.write(`${USAGE}\n`);
  const connections = wholeNumber("--connections", values.connections ?? "17000", 50_000);
  const mib = wholeNumber("--mib", values.mib ?? "192", 10_000);
  process.stdout.write(`${machineLines(describeMachine(MEMORY_FOLDER)).join("\n")}\n`);
  const rows: string[][] = [];
  for (const each of CASES) {
    const { copyMs, pauseMs, peakBytes, open, isProven, joinMs } = await runOnce(each, connections, mib);
    const peak = `${Math.round(peakBytes / MIB)} MiB`;
    rows.push([
      each.name,
      String(open),
      peak,
      seconds(copyMs),
      seconds(pauseMs),
      seconds(joinMs),
      isProven ? "proven" : "FAILED",
    ]);
  }
  const head = [
    "connections",
    "open at the end",
    "peak of the coordinator",
    "copy",
    "longest pause",
    "a sink joins",
    "end",
  ];
  process.stdout.write(`\n${markdownTable(head, rows)}\n`);
}

await main();
