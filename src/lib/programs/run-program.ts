import { isUtf8 } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { abortError } from "../async/abort.ts";
import type { Clock } from "../clock.ts";
import { FanfoldError, reasonOf } from "../errors.ts";
import { escapeText } from "../escape-name.ts";
import { type FilePath, pathBytes, shownPath } from "../folder/file-path.ts";
import { withoutTokens } from "../hide-tokens.ts";
import { ProgramFailure } from "./program-failure.ts";

const RUN_WITHIN_MS = 60_000;
/** Between the request to end and the kill. */
const END_WITHIN_MS = 5000;
/** Of what it prints: enough to see what went wrong. */
const OUTPUT_CHARS_MAX = 2000;

interface ProgramRun {
  /** One program; it gets no arguments, and no shell reads it. */
  readonly program: string;
  /** What could not be done when it fails: "cannot tell". */
  readonly purpose: string;
  /** What it reads on standard input. */
  readonly input: string;
  /** What it is told beside that. */
  readonly variables: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** @default 60 s */
  readonly runWithinMs?: number;
}

/** The program as a process can be started from it. @throws FanfoldError `usage` */
export function programPath(path: FilePath): string {
  const bytes = pathBytes(path);
  if (isUtf8(bytes)) return bytes.toString();
  const what = `cannot run the program "${shownPath(bytes)}"`;
  throw new FanfoldError("usage", `${what}: its path is not UTF-8; give it another name, or a link with one`);
}

/** Runs a program that a person has named, and gives what it printed. @throws FanfoldError `refused` */
export async function runProgram(
  { program, purpose, input, variables, environment, clock, runWithinMs = RUN_WITHIN_MS }: ProgramRun,
  signal: AbortSignal,
): Promise<string> {
  const what = `${purpose} by the command "${escapeText(program)}"`;
  const child = begin(program, { ...ownOnly(environment), ...variables }, what);
  const output = outputOf(child);
  // It need not read what it is told.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(`${input}\n`);
  const closed = endOf(child);
  const over = new AbortController();
  try {
    const either = AbortSignal.any([signal, over.signal]);
    const ended = await Promise.race([closed, lapse(clock, runWithinMs, either)]);
    if (ended !== "late") {
      if ("failure" in ended) throw new FanfoldError("refused", `${what}: ${reasonOf(ended.failure)}`);
      if (ended.status === 0) return output();
      const how = ended.signal === null ? `it ended with status ${ended.status}` : `${ended.signal} ended it`;
      throw new ProgramFailure(`${what}: ${how}`, output());
    }
    await stop(child, closed, clock);
    if (signal.aborted) throw abortError(signal);
    throw new ProgramFailure(`${what}: it did not end within ${runWithinMs / 1000} s`, output());
  } finally {
    over.abort();
  }
}

/** @throws FanfoldError `refused` */
function begin(program: string, env: Record<string, string | undefined>, what: string): ChildProcess {
  try {
    // A group of its own, so that what it has started ends with it.
    return spawn(program, [], { env, stdio: ["pipe", "pipe", "pipe"], detached: true, shell: false });
  } catch (cause) {
    throw new FanfoldError("refused", `${what}: ${reasonOf(cause)}`, { cause });
  }
}

type ChildEnd =
  | { readonly status: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly failure: unknown };

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once("error", (failure) => resolve({ failure }));
    child.once("exit", (status, signal) => {
      // What it left running may hold the pipes open for ever.
      const streams = [child.stdout, child.stderr].map((stream) => stream?.closed === false && once(stream, "close"));
      const timer = setTimeout(() => resolve({ status, signal }), 1000);
      // Neither does it matter that what it prints cannot be read.
      void Promise.allSettled(streams).then(() => {
        clearTimeout(timer);
        resolve({ status, signal });
      });
    });
  });
}

/** The time is over, or nobody waits any more. */
async function lapse(clock: Clock, ms: number, signal: AbortSignal): Promise<"late"> {
  await clock.sleep(ms, signal).catch(() => undefined);
  return "late";
}

async function stop(child: ChildProcess, closed: Promise<ChildEnd>, clock: Clock): Promise<void> {
  const gone = new AbortController();
  killGroup(child, "SIGTERM");
  await Promise.race([closed, lapse(clock, END_WITHIN_MS, gone.signal)]);
  gone.abort();
  killGroup(child, "SIGKILL");
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

/** What fanfold itself was given is none of the program's business: a token, say. */
function ownOnly(environment: ProgramRun["environment"]): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("FANFOLD_")));
}

/** The beginning of what it prints, in one line. */
function outputOf(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream
      ?.setEncoding("utf8")
      .on("data", (chunk: string) => {
        text = (text + chunk).slice(0, OUTPUT_CHARS_MAX);
      })
      .on("error", () => undefined);
  return () => escapeText(withoutTokens(text.trim()));
}
