/**
 * `npm run bench:page-load`: does the web page stay fluid, and the coordinator small, with many sinks and sessions? A real
 * coordinator and a real browser; the members are clients of the protocol that report, and copy nothing.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { CliLab } from "../test/helpers/processes/cli.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { wholeNumber } from "./options.ts";
import { type FrameFigures, watchFrames } from "./page-load/frame-watch.ts";
import { LightSink, LightSource, type MadeUpCopy } from "./page-load/light-member.ts";
import { markdownTable } from "./report.ts";

const USAGE = "npm run bench:page-load -- [--sessions N] [--sinks N] [--seconds N] [--reports N]";
const PROGRAM = "/usr/bin/chromium";
const MIB = 1024 * 1024;
/** As a source does. */
const TELLS_EVERY_MS = 200;
const COPY = { files: 20_000, bytes: 80_000 * MIB };
/** Of the made-up copy: nobody is done while it is watched. */
const COPY_MS = 20 * 60_000;

interface Load {
  readonly sessions: number;
  readonly sinks: number;
  readonly seconds: number;
  readonly reports: number;
}

interface Crowd {
  readonly sources: readonly LightSource[];
  readonly sinks: readonly LightSink[];
}

async function bench({ sessions, sinks, seconds, reports }: Load): Promise<void> {
  await using lab = await CliLab.open("open");
  print(["# The web page with many sinks", "", ...machineLines(describeMachine(lab.folder))].join("\n"));
  print(`- ${sessions} sessions, ${sinks} sinks in all; ${reports} reports a second of each; ${seconds} s each\n`);
  const { process: coordinator, address } = await lab.coordinator();
  const port = Number(/:(\d+)$/.exec(address)?.[1]);
  const memory: string[][] = [];
  const note = (what: string): void => {
    memory.push([what, statusMib(coordinator.pid, "VmRSS"), statusMib(coordinator.pid, "VmHWM")]);
    // From here on the peak is counted anew.
    writeFileSync(`/proc/${coordinator.pid}/clear_refs`, "5");
  };
  note("alone");
  await using stack = new AsyncDisposableStack();
  const crowd = await gather({ port, sessions, sinks }, stack);
  note("all have come in");
  const stop = new AbortController();
  const work = keepTelling(crowd, reports, stop.signal);
  await delay(seconds * 1000);
  note("they copy, and nobody looks");

  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  await using browser = await chromium.launch({ executablePath: PROGRAM, args });
  const rows: string[][] = [];
  for (const width of [1280, 360]) {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    await page.goto(`http://${address}/`);
    await page
      .getByRole("article")
      .nth(sessions - 1)
      .waitFor();
    rows.push(row(`all sessions, ${width} px`, await watchFrames(page, () => delay(seconds * 1000))));
    const scroll = async (): Promise<void> => {
      for (let step = 0; step < seconds * 10; step += 1) {
        await page.mouse.wheel(0, step % 40 < 20 ? 400 : -400);
        await delay(100);
      }
    };
    rows.push(row(`the same, scrolled, ${width} px`, await watchFrames(page, scroll)));
    await page.getByRole("article").first().getByRole("link").click();
    rows.push(row(`one session, ${width} px`, await watchFrames(page, () => delay(seconds * 1000))));
    await page.close();
  }
  note("the page was open");
  stop.abort();
  await work;
  const head = [
    "page",
    "frames",
    "median, ms",
    "p99, ms",
    "longest, ms",
    "tasks > 50 ms",
    "longest, ms",
    "CPU",
    "heap",
  ];
  print(markdownTable(head, rows));
  print(`\n${markdownTable(["coordinator", "resident, MiB", "peak till then, MiB"], memory)}`);
}

interface Gathered {
  readonly port: number;
  readonly sessions: number;
  readonly sinks: number;
}

/** All that are in the sessions, which have begun to copy. The first session has what is left over. */
async function gather({ port, sessions, sinks }: Gathered, stack: AsyncDisposableStack): Promise<Crowd> {
  const each = Math.floor(sinks / sessions);
  const all: Crowd = { sources: [], sinks: [] };
  const [sourceList, sinkList] = [[...all.sources], [...all.sinks]];
  for (let number = 0; number < sessions; number += 1) {
    const session = `session-${String(number).padStart(2, "0")}`;
    const count = number === 0 ? sinks - each * (sessions - 1) : each;
    const joined: LightSink[] = [];
    for (let at = 0; at < count; at += 1)
      joined.push(stack.use(await LightSink.join(port, session, `machine-${String(at).padStart(3, "0")}`)));
    sourceList.push(stack.use(await LightSource.join(port, session, count)));
    await Promise.all(joined.map((sink) => sink.started()));
    sinkList.push(...joined);
  }
  return { sources: sourceList, sinks: sinkList };
}

/** Everybody tells how far it is, each a little further than the one after it. */
async function keepTelling({ sources, sinks }: Crowd, reports: number, signal: AbortSignal): Promise<void> {
  const began = performance.now();
  const copy = (behind: number): MadeUpCopy => {
    const elapsedMs = performance.now() - began;
    return { ...COPY, elapsedMs, share: Math.max(0, elapsedMs / COPY_MS - behind) };
  };
  const telling = sources.map(async (source, index) => {
    for (; !signal.aborted; await delay(TELLS_EVERY_MS)) source.tell(copy(index * 1e-4));
  });
  const reporting = sinks.map(async (sink, index) => {
    for (; !signal.aborted; await delay(1000 / reports)) await sink.report(copy(index * 1e-4));
  });
  await Promise.all([...telling, ...reporting]);
}

function row(title: string, figures: FrameFigures): string[] {
  const { frames, medianMs, p99Ms, longestMs, longTasks, longestTaskMs, busyShare, heapBytes } = figures;
  const times = [medianMs, p99Ms, longestMs].map((ms) => ms.toFixed(1));
  const held = [String(longTasks), longestTaskMs.toFixed(0)];
  return [
    title,
    String(frames),
    ...times,
    ...held,
    `${(busyShare * 100).toFixed(0)} %`,
    `${(heapBytes / MIB).toFixed(1)} MiB`,
  ];
}

function statusMib(pid: number, field: "VmRSS" | "VmHWM"): string {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m");
  const kib = line.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) / 1024).toFixed(0);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sessions: { type: "string", default: "50" },
      sinks: { type: "string", default: "200" },
      seconds: { type: "string", default: "15" },
      reports: { type: "string", default: "5" },
    },
  });
  if (process.platform !== "linux") throw new Error("the figures come from /proc, so this needs Linux");
  await bench({
    sessions: wholeNumber("--sessions", values.sessions, 64),
    sinks: wholeNumber("--sinks", values.sinks, 256),
    seconds: wholeNumber("--seconds", values.seconds, 600),
    reports: wholeNumber("--reports", values.reports, 50),
  });
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 1;
});
