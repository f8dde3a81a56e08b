import { within } from "../../lib/async/within.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/logger.ts";
import { threadsLoaded } from "../../lib/threads/thread.ts";
import { catchEndingSignals } from "../process/ending-signals.ts";
import { statusOfCode, statusOfSignal } from "../process/exit-status.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { reportError } from "../process/report-error.ts";
import { onStatusSignal } from "../process/status-signal.ts";
import { withTimes } from "../process/written-lines.ts";
import { openPresenter, presenterLogger } from "../terminal/open-presenter.ts";
import { type OutputMode, resolveOutputMode, type SharedOptions } from "../terminal/output-mode.ts";
import type { Presenter, TypedEvent } from "../terminal/presenter.ts";
import type { View } from "../view/view.ts";

/** One run of a role, as the commands see it. */
export interface RoleRun<Event, Result> {
  /** From the very first one: it has to be asked for in the turn in which the run is made. */
  readonly events: AsyncIterable<Event>;
  readonly result: Promise<Result>;
  /** At a second signal, while the first one ends it: ends more than itself. False when there is no more to end. */
  cancel?(): boolean;
  /** Reads its files again. */
  reload?(): void;
}

export interface RunContext {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  readonly logger?: Logger;
  /** A line for standard error. */
  readonly warn: (text: string) => void;
  /** Lines for a person to copy, and what stands for them where no person looks. */
  readonly copyable: (lines: readonly string[], instead: string) => void;
}

interface RoleCommand<Event extends TypedEvent, State, Result> {
  readonly view: View<Event, State>;
  readonly options: SharedOptions;
  readonly io: ProgramIo;
  /** It goes on until somebody ends it: its lines begin with the time, where no person reads them at a terminal. */
  readonly lasts?: boolean;
  /** SIGHUP makes it read its files again, instead of ending it. */
  readonly reloads?: boolean;
  start(context: RunContext): Promise<RoleRun<Event, Result>>;
  statusOf(result: Result): number;
}

/** Events that are still on their way when the work is done are waited for at most this long. */
const LAST_EVENTS_MS = 2000;

/**
 * How long the first signal has to end the run in order before a second one ends it at once, in milliseconds. Both may come
 * at the same moment, and the others wait for a member that goes without a word.
 */
const FAREWELL_MS = 1000;

/** Threads that are just being loaded are waited for at most this long before the process is ended. */
const LOADING_MS_MAX = 1000;

/** Runs a role from its start to its exit status: shows its events, ends it in order at a signal, says what went wrong. */
export async function runCommand<Event extends TypedEvent, State, Result>(
  command: RoleCommand<Event, State, Result>,
): Promise<number> {
  const mode = resolveOutputMode(command.options, command.io);
  const io = outputsOf(command, mode);
  const presenter = await openPresenter(command.view, mode, io);
  using _status = onStatusSignal(() => presenter.status());
  let run: RoleRun<Event, Result> | undefined;
  const over = Promise.withResolvers<boolean>();
  const onHangUp = command.reloads === true ? () => run?.reload?.() : undefined;
  using signals = catchEndingSignals(async (signal, count) => {
    if (count === 2 && run?.cancel?.() === true) return;
    if (count === 2 && (await within(io.clock, FAREWELL_MS, over.promise, false))) return;
    presenter.close();
    const status = statusOfSignal(signals.received ?? signal);
    void within(io.clock, LOADING_MS_MAX, threadsLoaded(), undefined).finally(() => process.exit(status));
  }, onHangUp);
  const logger = presenterLogger(presenter, mode);
  try {
    const warn = (text: string): void => presenter.error(`fanfold: warning: ${text}`);
    const copyable = (lines: readonly string[], instead: string): void => presenter.copyable(lines, instead);
    run = await command.start({ signal: signals.abort, warn, copyable, ...(logger === undefined ? {} : { logger }) });
    const shown = showEvents(run.events, presenter);
    let result: Result;
    try {
      result = await run.result;
    } finally {
      await within(io.clock, LAST_EVENTS_MS, shown, undefined);
    }
    const status = command.statusOf(result);
    return status !== 0 && signals.received !== undefined ? statusOfSignal(signals.received) : status;
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    presenter.close();
    reportError(error, { io, verbose: mode.verbose, json: mode.kind === "json" });
    if (signals.received !== undefined) return statusOfSignal(signals.received);
    return statusOfCode(error.code);
  } finally {
    presenter.close();
    over.resolve(true);
  }
}

/** Events of `--json` have the time in them. */
function outputsOf(
  { io, lasts = false }: Pick<RoleCommand<never, never, never>, "io" | "lasts">,
  { kind }: OutputMode,
) {
  if (!lasts) return io;
  return kind === "json" ? { ...withTimes(io), stdout: io.stdout } : withTimes(io);
}

async function showEvents<Event extends TypedEvent>(
  events: AsyncIterable<Event>,
  presenter: Presenter<Event>,
): Promise<void> {
  for await (const event of events) presenter.take(event);
}
