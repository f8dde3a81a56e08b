import type { Clock } from "../../lib/clock.ts";
import { runProgram } from "../../lib/programs/run-program.ts";
import { factsOf } from "./notice.ts";
import type { OutboxEntry } from "./notice-outbox.ts";

interface CommandOptions {
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Runs the program for one notice, which it reads on standard input. Gives what it printed. @throws FanfoldError `refused` */
export async function runForNotice(
  { id, body }: Pick<OutboxEntry, "id" | "body">,
  options: CommandOptions,
  signal: AbortSignal,
): Promise<string> {
  return await runProgram({ ...options, purpose: "cannot tell", input: body, variables: variables(id, body) }, signal);
}

function variables(id: string, body: string): Record<string, string> {
  const { type, session, sessionId, result, time } = factsOf(body);
  return {
    FANFOLD_EVENT: type,
    FANFOLD_EVENT_ID: id,
    FANFOLD_EVENT_TIME: time,
    FANFOLD_EVENT_SESSION: session,
    ...(sessionId === undefined ? {} : { FANFOLD_EVENT_SESSION_ID: sessionId }),
    ...(result === undefined ? {} : { FANFOLD_EVENT_RESULT: result }),
  };
}
