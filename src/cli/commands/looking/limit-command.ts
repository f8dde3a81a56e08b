import { FanfoldError } from "../../../lib/errors.ts";
import { checkLimitOrder } from "../../../protocol/bandwidth/applied-limit.ts";
import { LIMIT_DEFAULT } from "../../../protocol/bandwidth/limit-plan.ts";
import type { SessionView } from "../../../protocol/messages/session-view.ts";
import { limitText } from "../../../words/limit-words.ts";
import { atDesk, type DeskChoice, type GivenDesk } from "../../operator/at-desk.ts";
import type { OperatorDesk } from "../../operator/operator-desk.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { forOutput } from "../../process/written-lines.ts";
import { tableLines } from "../../view/text/table.ts";
import { tellStopped } from "./tell-stopped.ts";

/** As commander reads it. */
export interface LimitOptions extends GivenDesk {
  readonly sink?: string;
}

type LimitWords = readonly [first: string | undefined, second: string | undefined];
type Choice = DeskChoice & { readonly options: LimitOptions };

/** `fanfold limit [SESSION] [LIMIT]` */
export async function limitCommand(given: LimitWords, choice: Choice, io: ProgramIo): Promise<number> {
  const { session, limit } = readGiven(given);
  const { sink, json = false } = choice.options;
  if (limit === undefined)
    return await atDesk({ ...choice, looks: true }, io, (desk) => show(desk, { session, sink, json }, io));
  return await atDesk(choice, io, (desk) => change(desk, { session, sink, json, limit }, io));
}

interface LimitQuestion {
  readonly session: string | undefined;
  readonly sink: string | undefined;
  readonly json: boolean;
}

async function show(
  { records, runs }: OperatorDesk,
  { session, sink, json }: LimitQuestion,
  io: ProgramIo,
): Promise<void> {
  if (sink !== undefined)
    throw new FanfoldError("usage", "cannot use --sink without a limit: want the limit that this sink is to have");
  const sessions = await records.live();
  const shown = session === undefined ? sessions : [sessionOf(sessions, session)];
  if (json) {
    io.stdout.write(`${JSON.stringify({ runs, sessions: shown.map(limitsOf) })}\n`);
    return;
  }
  tellStopped(runs, io);
  if (shown.length === 0) io.stderr.write("No session waits or runs.\n");
  else for (const line of tableLines(table(shown))) io.stdout.write(`${forOutput(line, io.stdout)}\n`);
}

async function change(
  desk: OperatorDesk,
  { session: named, sink, json, limit }: LimitQuestion & { readonly limit: string },
  io: ProgramIo,
): Promise<void> {
  checkLimitOrder(limit, "the limit");
  const { session, sessionId } = sessionOf(await desk.records.live(), named);
  const { told } = await desk.limit({ sessionId, sink }, limit);
  if (json) {
    const who = sink === undefined ? {} : { sink };
    io.stdout.write(`${JSON.stringify({ session, sessionId, ...who, limit, told })}\n`);
    return;
  }
  const who = sink === undefined ? "the source" : `the sink "${sink}"`;
  const what = limit === LIMIT_DEFAULT ? "goes by its own --bwlimit again" : `holds itself to "${limit}"`;
  const when = told ? "from now on" : "when it is back";
  io.stdout.write(`${forOutput(`${who} of session "${session}" ${what} ${when}`, io.stdout)}\n`);
}

/** A single word is a limit when it reads as one, and else the name of a session. */
function readGiven([first, second]: LimitWords): {
  readonly session: string | undefined;
  readonly limit: string | undefined;
} {
  if (second !== undefined || first === undefined) return { session: first, limit: second };
  try {
    checkLimitOrder(first, "the limit");
    return { session: undefined, limit: first };
  } catch {
    return { session: first, limit: undefined };
  }
}

/** @throws FanfoldError `usage` */
function sessionOf(sessions: readonly SessionView[], who: string | undefined): SessionView {
  const meant = sessions.filter(({ session, sessionId }) => who === undefined || who === session || who === sessionId);
  const [found, ...others] = meant;
  if (found !== undefined && others.length === 0) return found;
  const names = sessions.map(({ session }) => session);
  if (who !== undefined) {
    const known = names.length === 0 ? "no session waits or runs" : `there are: ${names.join(", ")}`;
    throw new FanfoldError(
      "usage",
      `cannot find the session ${JSON.stringify(who.slice(0, 100))}: ${known}; nor is it a limit, such as 20M or off`,
    );
  }
  if (found === undefined)
    throw new FanfoldError("usage", "cannot change a limit: no session waits or runs at this coordinator");
  throw new FanfoldError(
    "usage",
    `cannot tell which session is meant: there are ${names.join(", ")}; name one before the limit`,
  );
}

function limitsOf({ session, sessionId, state, source, limit, sinks }: SessionView) {
  return {
    ...{ session, sessionId, state },
    ...(source === undefined ? {} : { source }),
    ...(limit === undefined ? {} : { limit }),
    sinks: sinks.map((sink) => ({
      ...{ name: sink.name, state: sink.state },
      ...(sink.limit === undefined ? {} : { limit: sink.limit }),
    })),
  };
}

const HEAD = ["SESSION", "WHO", "NAME", "STATE", "LIMIT"];

function table(sessions: readonly SessionView[]): string[][] {
  const rows = sessions.flatMap(({ session, state, source, limit, sinks }) => [
    ...(source === undefined ? [] : [[session, "source", source, state, limitText(limit)]]),
    ...sinks.map((sink) => [session, "sink", sink.name, sink.state, limitText(sink.limit)]),
  ]);
  return [HEAD, ...rows];
}
