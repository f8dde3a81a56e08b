import { FanfoldError } from "../../../lib/errors.ts";
import { programPath, runProgram } from "../../../lib/programs/run-program.ts";
import { MEMBER_DEFAULTS } from "../../../member/member-defaults.ts";
import { fitSummary } from "../../../protocol/messages/fit-message.ts";
import type { RunEnd } from "../../../source/schedule/run-scheduled.ts";
import type { ScheduleOptions } from "../../options/schedule-options.ts";
import { EXIT_STATUS, statusOfCode, statusOfSummary } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";

interface HookOptions extends Pick<ScheduleOptions, "onSuccess" | "onFailure"> {
  readonly session?: string;
  readonly errorOnNoTransfer?: boolean;
}

interface HookRun {
  readonly io: ProgramIo;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

/** What a program reads at most. */
const SUMMARY_BYTES_MAX = 200 * 1024;
/** It may have to wait for a disk, or for somebody else. */
const RUN_WITHIN_MS = 600_000;
const SUCCESS: ReadonlySet<number> = new Set([EXIT_STATUS.ok, EXIT_STATUS.nothingToDo]);

/** @throws FanfoldError `usage` for a program that cannot be named */
export function checkHooks({ onSuccess, onFailure }: HookOptions): void {
  for (const program of [onSuccess, onFailure]) if (program !== undefined) programPath(program);
}

/** Runs what `--on-success` or `--on-failure` names behind a run. That it fails is a warning. Says whether the run was a success. */
export async function runHook(end: RunEnd, options: HookOptions, { io, signal, warn }: HookRun): Promise<boolean> {
  if ("error" in end && end.error.code === "interrupted") return false;
  const { session = MEMBER_DEFAULTS.session, onSuccess, onFailure, errorOnNoTransfer = false } = options;
  const status = "error" in end ? statusOfCode(end.error.code) : statusOfSummary(end.summary, { errorOnNoTransfer });
  const isSuccess = SUCCESS.has(status);
  const program = isSuccess ? onSuccess : onFailure;
  if (program === undefined) return isSuccess;
  const time = io.clock.date().toISOString();
  const result = "error" in end ? "failed" : end.summary.result;
  const body =
    "error" in end
      ? { code: end.error.code, message: end.error.message }
      : { summary: fitSummary(end.summary, SUMMARY_BYTES_MAX) };
  const variables = {
    FANFOLD_RUN_RESULT: result,
    FANFOLD_RUN_STATUS: String(status),
    FANFOLD_RUN_SESSION: session,
    FANFOLD_RUN_TIME: time,
    ...("error" in end ? { FANFOLD_RUN_CODE: end.error.code } : {}),
  };
  try {
    await runProgram(
      {
        program: programPath(program),
        purpose: `cannot end a run ${isSuccess ? "that succeeded" : "that failed"}`,
        input: JSON.stringify({ time, session, result, status, ...body }),
        variables,
        environment: { ...io.env },
        clock: io.clock,
        runWithinMs: RUN_WITHIN_MS,
      },
      signal,
    );
  } catch (thrown) {
    const { message } = FanfoldError.from(thrown);
    const output =
      thrown instanceof Error && "output" in thrown && thrown.output !== "" ? `; it said: ${thrown.output}` : "";
    warn(`${message}${output}`);
  }
  return isSuccess;
}
