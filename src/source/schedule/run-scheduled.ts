import { pump } from "../../lib/async/pump.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { askedContact, contactOf } from "../../member/contact.ts";
import { MEMBER_DEFAULTS } from "../../member/member-defaults.ts";
import { type MemberRun, startMember } from "../../member/member-run.ts";
import type { SourceEvent } from "../../protocol/messages/events.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";
import { sourceMemory } from "../coordinator-memory.ts";
import { openSourceFolder } from "../disk/source-folder.ts";
import { introduceSource } from "../hello.ts";
import { runSource, type SourceRun } from "../source.ts";
import type { SourceOptions } from "../source-options.ts";
import { LastRun } from "./last-run.ts";
import { dueMs, type Schedule } from "./schedule.ts";
import { standBy } from "./stand-by.ts";

/** How one run of several ended. */
export type RunEnd = { readonly summary: SessionSummary } | { readonly error: FanfoldError };

interface ScheduledOptions {
  readonly source: SourceOptions;
  readonly schedule: Schedule;
  /** Each run begins by up to so much later, by chance, so that many sources do not begin together. Milliseconds. */
  readonly jitterMs: number;
  /** Called behind each run and waited for; says whether the run was a success. */
  readonly ended: (end: RunEnd) => Promise<boolean>;
}

interface ScheduledRun extends MemberRun<SourceEvent, never> {
  /** As that of the run that goes on. */
  cancel(): boolean;
}

/** What no later run would do better. */
const HOPELESS: ReadonlySet<string> = new Set(["usage", "config-invalid", "internal"]);
/** A machine that slept, or whose clock was set, is noticed within this time. */
const LOOK_MS_MAX = 30_000;

/** Runs a source again and again, one run after another, until it is aborted. */
export function runScheduled(options: ScheduledOptions): ScheduledRun {
  let running: SourceRun | undefined;
  const run = startMember<SourceEvent, never>(options.source.signal, async ({ hub, signal }) => {
    const { source, schedule, jitterMs, ended } = options;
    const { clock = systemClock, random = systemRandom, stateDir, session = MEMBER_DEFAULTS.session } = source;
    const { root } = openSourceFolder(source.folder);
    const last = new LastRun({ stateDir, root, session, random });
    for (let failures = 0; ; ) {
      const due = dueMs(schedule, { lastMs: last.read(), failures }, clock.date().getTime());
      const atMs = Math.max(due, clock.date().getTime()) + Math.round(jitterMs * random.fraction());
      hub.emit({ type: "scheduled", at: new Date(atMs).toISOString(), failures });
      await untilWanted(signal, [(waiting) => until(atMs, clock, waiting), (waiting) => wanted(source, waiting)]);
      last.write(clock.date());
      running = runSource({ ...source, signal });
      const shown = pump(
        running.events(),
        (event) => hub.emit(event),
        () => undefined,
      );
      const end = await running.result.then(
        (summary): RunEnd => ({ summary }),
        (thrown: unknown): RunEnd => ({ error: FanfoldError.from(thrown) }),
      );
      running = undefined;
      await shown;
      signal.throwIfAborted();
      if ("error" in end) {
        if (HOPELESS.has(end.error.code)) throw end.error;
        hub.emit({ type: "warning", code: end.error.code, message: end.error.message });
      }
      failures = (await ended(end)) ? 0 : failures + 1;
    }
  });
  return { ...run, cancel: () => running?.cancel() ?? false };
}

/** Until the first of these is; the others are broken off. */
async function untilWanted(
  signal: AbortSignal,
  waits: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const waiting = waits.map((wait) => wait(either));
  try {
    await Promise.race(waiting);
  } finally {
    over.abort(new FanfoldError("closed", "The wait is over"));
    await Promise.allSettled(waiting);
  }
}

/** Resolves when who runs the coordinator wants a run now. Who cannot ask waits for the time alone. */
async function wanted(source: SourceOptions, signal: AbortSignal): Promise<void> {
  const { clock = systemClock, random = systemRandom, stateDir } = source;
  try {
    const who = introduceSource({ ...source, hidesNames: true }, openSourceFolder(source.folder).root, random);
    const { address } = contactOf(askedContact(source), sourceMemory(stateDir, random), () => undefined);
    await standBy({ ...who, address, clock, random }, signal);
  } catch {
    signal.throwIfAborted();
    await new Promise<never>((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
  }
}

/** By the clock on the wall: timers stand still while the machine sleeps. */
async function until(atMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    const leftMs = atMs - clock.date().getTime();
    if (leftMs <= 0) return;
    await clock.sleep(Math.min(leftMs, LOOK_MS_MAX), signal);
  }
}
