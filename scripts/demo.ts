/**
 * `npm run demo`: a coordinator, some sinks and a source as real processes on this machine. Then every copy is compared
 * with the source by a tool that knows nothing of fanfold.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type EndingSignal, statusOfSignal } from "../src/cli/process/exit-status.ts";
import { DEMO_USAGE, type DemoOptions, readDemoOptions } from "./demo/demo-options.ts";
import { type DemoProcess, startInBackground, startInTerminal, startWithEvents, stop } from "./demo/demo-process.ts";
import { heading, item, say, sayByHand, sayResult, shellWord, style } from "./demo/demo-text.ts";
import { findJudge } from "./demo/tree-comparison.ts";
import { DemoFailure, WaitingRoom } from "./demo/waiting-room.ts";

const DIFFERENCES_SHOWN = 5;

async function demo(options: DemoOptions, base: string): Promise<boolean> {
  const { folder, broker, sinks } = options;
  say(
    style.strong(
      `fanfold demo: ${basename(folder)} to ${sinks} ${sinks === 1 ? "sink" : "sinks"} through ${broker === "embedded" ? "the embedded relay" : broker}`,
    ),
  );
  const room = new WaitingRoom();
  const coordinatorArgs = ["coordinator", "--port", "0", "--broker", broker, "--state-dir", join(base, "coordinator")];
  const coordinator = startWithEvents(coordinatorArgs, join(base, "coordinator.log"), (event) => room.take(event));
  const address = await room.within(Promise.race([room.address, failedStart("coordinator", coordinator)]));
  item("coordinator", `listens at ${address}`);
  item(
    "web page",
    `http://${address}/ shows it live${options.stay ? "" : " until the demo ends; npm run demo -- --stay keeps it"}`,
  );

  const names = Array.from({ length: sinks }, (_, index) => `sink-${index + 1}`);
  const running = names.map((name) =>
    startInBackground(["sink", "--coordinator", address, "--name", name, join(base, name)], join(base, `${name}.log`)),
  );
  const early = running.map((sink, index) => failedStart(names[index] ?? "sink", sink));
  await room.within(Promise.race([room.registered(sinks), ...early]));
  item("sinks", `${names.join(", ")} are registered`);
  item("folders", base);
  say();

  const paced = options.bwlimit === undefined ? [] : ["--bwlimit", options.bwlimit];
  const sourceArgs = ["source", "--coordinator", address, "--dest-count", String(sinks), ...paced];
  say(style.quiet(`$ fanfold ${sourceArgs.join(" ")} ${shellWord(folder)}`));
  const source = startInTerminal([...sourceArgs, "--state-dir", join(base, "source"), "--", folder]);
  foreground = source;
  const status = await source.ended;
  if (stopped !== undefined) return false;
  if (status !== 0) item("source", style.bad(`ended with exit status ${status}`));
  const ends = await Promise.all(running.map((sink) => endOf(sink, status === 0)));
  if (!options.stay) await stop(coordinator);

  heading("What each sink said");
  for (const [index, name] of names.entries()) {
    const bad = ends[index] === 0 ? "" : ` ${style.bad(`(exit status ${ends[index]})`)}`;
    item(name, lastWord(running[index]) + bad);
  }
  const equal = compare(names, folder, base);
  if (room.summary !== undefined) {
    heading("What was done");
    sayResult(room.summary);
  }
  sayByHand(folder, options);
  if (options.stay) {
    say(`\nThe web page stays at ${style.strong(`http://${address}/`)} until Ctrl-C.`);
    foreground = coordinator;
    await coordinator.ended;
  }
  return equal && status === 0 && ends.every((end) => end === 0);
}

function compare(names: readonly string[], folder: string, base: string): boolean {
  const judge = findJudge();
  heading("Compared with the source by another tool");
  say(`  ${style.quiet(judge.name)}`);
  let equal = true;
  for (const name of names) {
    const { differences } = judge.compare(folder, join(base, name));
    item(name, differences.length === 0 ? style.good("equal") : style.bad(`${differences.length} differences`));
    for (const line of differences.slice(0, DIFFERENCES_SHOWN)) say(`      ${JSON.stringify(line).slice(1, -1)}`);
    equal &&= differences.length === 0;
  }
  return equal;
}

async function failedStart(name: string, started: DemoProcess): Promise<never> {
  const status = await started.ended;
  throw new DemoFailure(`the ${name} ended with exit status ${status}: ${lastWord(started)}`);
}

/** Sinks end by themselves after a good session; otherwise they are asked to. */
async function endOf(sink: DemoProcess, good: boolean): Promise<number> {
  if (!good) await stop(sink);
  return sink.ended;
}

function lastWord(of: DemoProcess | undefined): string {
  const lines = (of?.log() ?? "").split("\n").filter((line) => line !== "" && !line.startsWith(" "));
  return lines.at(-1) ?? "nothing";
}

let stopped: EndingSignal | undefined;
let foreground: DemoProcess | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    const status = statusOfSignal(signal);
    if (stopped !== undefined || foreground === undefined) process.exit(status);
    stopped = signal;
    // At Ctrl-C the source, which has the terminal, got its own signal. It ends in order, and the demo after it.
    if (signal !== "SIGINT") foreground.child.kill(signal);
    setTimeout(() => process.exit(status), 5000).unref();
  });
}

const options = readDemoOptions(process.argv.slice(2), "node_modules");
if (typeof options === "string") {
  process.stderr.write(`demo: ${options}\nusage: ${DEMO_USAGE}\n`);
  process.exit(2);
}
const base = mkdtempSync(join(tmpdir(), "fanfold-demo-"));
mkdirSync(base, { recursive: true });
process.on("exit", () => {
  if (options.keep) say(`\nThe copies are in ${base}`);
  // Processes that were killed a moment ago may still be writing.
  else rmSync(base, { recursive: true, force: true, maxRetries: 5 });
});
try {
  const good = await demo(options, base);
  process.exitCode = good ? 0 : 1;
} catch (thrown) {
  if (!(thrown instanceof DemoFailure)) throw thrown;
  process.stderr.write(`demo: ${thrown.message}\n`);
  process.exitCode = 1;
}
process.exit(stopped === undefined ? process.exitCode : statusOfSignal(stopped));
