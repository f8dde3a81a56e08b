import { openCoordinator as open } from "../coordinator/coordinator.ts";
import type { Coordinator } from "../coordinator/open-coordinator.ts";
import { defaultCoordinatorState, defaultSourceState } from "../lib/folder/state-folder.ts";
import { MEMBER_DEFAULTS } from "../member/member-defaults.ts";
import type { MemberRun } from "../member/member-run.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { type SinkRun, runSink as startSink } from "../sink/sink.ts";
import { verifyFolder as startVerify, type VerifyRun } from "../sink/verify/verify.ts";
import { type CancelledSession, cancelSession as startCancel } from "../source/cancel.ts";
import { type SourceRun, runSource as startSource } from "../source/source.ts";
import { checkOptions } from "./check-options.ts";
import type {
  CancelSessionOptions,
  OpenCoordinatorOptions,
  RunSinkOptions,
  RunSourceOptions,
  VerifyFolderOptions,
} from "./library-options.ts";
import { CANCEL_CHECKS, COORDINATOR_CHECKS, SINK_CHECKS, SOURCE_CHECKS, VERIFY_CHECKS } from "./option-checks.ts";

/*
 * What the package offers to programs: the roles, with options that are checked, and with the defaults that the commands have. Each
 * function throws a FanfoldError `usage` that names the option when one cannot be used.
 */

/**
 * Publishes a directory to every sink of a session. It starts at once; disposing ends it in order.
 *
 * `result` rejects with a FanfoldError whose `code` says why the session could not come to its end (`coordinator-unreachable`,
 * `session-busy`, `interrupted`, …). A sink that failed is no error: `summary.sinks` has the outcome of each.
 *
 * @throws FanfoldError `usage`
 * @example
 * await using source = runSource({ coordinator: "backup:7337", folder: "/srv/photos", destCount: 2 });
 * const { result, sinks } = await source.result;
 */
export function runSource(options: RunSourceOptions): SourceRun {
  checkOptions("runSource", SOURCE_CHECKS, options);
  return startSource({
    ...options,
    ...member(options),
    stateDir: options.stateDir ?? defaultSourceState(environment()),
  });
}

/**
 * Ends the session of a source for all, whether or not the source is there. Only who has the source's identity can.
 * `result` rejects with a FanfoldError when there is no such session.
 *
 * @throws FanfoldError `usage`
 */
export function cancelSession(options: CancelSessionOptions): MemberRun<SourceEvent, CancelledSession> {
  checkOptions("cancelSession", CANCEL_CHECKS, options);
  return startCancel({
    ...options,
    ...member(options),
    stateDir: options.stateDir ?? defaultSourceState(environment()),
  });
}

/**
 * Rebuilds the tree of a session in a folder. It starts at once; disposing ends it in order. `result` resolves when the
 * copy is proven by its content, and rejects with a FanfoldError otherwise. With `stay` it takes one copy after another,
 * until its signal aborts.
 *
 * @throws FanfoldError `usage`
 */
export function runSink(options: RunSinkOptions): SinkRun {
  checkOptions("runSink", SINK_CHECKS, options);
  return startSink({ ...options, ...member(options) });
}

/**
 * Compares a sink's folder with what was copied into it, without a network. It starts at once; disposing ends it. The
 * result names how many entries differ; the events name each of them.
 *
 * @throws FanfoldError `usage`; `result` rejects with `folder-missing`, `folder-busy` or `manifest-missing`, among others
 */
export function verifyFolder(options: VerifyFolderOptions): VerifyRun {
  checkOptions("verifyFolder", VERIFY_CHECKS, options);
  return startVerify({ ...options, signal: options.signal ?? never() });
}

/**
 * Brings sources and sinks together. It resolves once it listens, and goes on until `close()`, disposal, or its signal.
 *
 * @throws FanfoldError `usage`, `port-taken`, `state-busy`, `damaged` or `disk-failed`
 */
export async function openCoordinator(options: OpenCoordinatorOptions = {}): Promise<Coordinator> {
  checkOptions("openCoordinator", COORDINATOR_CHECKS, options);
  const stateDir = options.stateDir ?? ((port: number) => defaultCoordinatorState(environment(), port));
  return await open({ ...options, stateDir, signal: options.signal ?? never() });
}

function member({ coordinator, signal }: Pick<RunSinkOptions, "coordinator" | "signal">) {
  return { coordinator: coordinator ?? MEMBER_DEFAULTS.coordinator, signal: signal ?? never() };
}

/** Who gives no signal ends the work by disposing it. */
function never(): AbortSignal {
  return new AbortController().signal;
}

function environment(): NodeJS.ProcessEnv {
  // biome-ignore lint/style/noProcessEnv: where the library looks at the environment, once for each call
  return process.env;
}
