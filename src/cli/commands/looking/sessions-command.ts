import type { SessionEntry } from "../../../protocol/api/answer-schemas.ts";
import { HISTORY_LIMIT_MAX } from "../../../protocol/api/answer-schemas.ts";
import { atDesk, type DeskChoice, type GivenDesk } from "../../operator/at-desk.ts";
import type { Records } from "../../operator/operator-desk.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { missedLines, sessionTable } from "../../view/records/session-table.ts";
import { tellStopped } from "./tell-stopped.ts";

/** As commander reads them. */
export interface SessionsOptions extends GivenDesk {
  readonly session?: string;
  readonly limit: number;
}

/** `fanfold sessions` */
export function listSessions(
  choice: DeskChoice & { readonly options: SessionsOptions },
  io: ProgramIo,
): Promise<number> {
  const { json = false, limit, session } = choice.options;
  return atDesk(choice, io, async ({ records, runs }) => {
    const { sessions, more } = await readEntries(records, { limit, ...(session === undefined ? {} : { session }) });
    const live = await records.live();
    const wanted = (await records.wanted()).filter((each) => session === undefined || each.session === session);
    if (json) {
      io.stdout.write(`${JSON.stringify({ runs, sessions, more, live, wanted })}\n`);
      return;
    }
    tellStopped(runs, io);
    for (const line of missedLines(wanted)) io.stdout.write(`${line}\n`);
    if (sessions.length === 0) io.stderr.write("There was no session yet.\n");
    else for (const line of sessionTable(sessions, live, runs)) io.stdout.write(`${line}\n`);
    if (more) io.stderr.write(`There are older ones: --limit ${Math.min(limit * 5, 10_000)} shows more.\n`);
  });
}

/** Part by part. */
async function readEntries(
  records: Records,
  { limit, session }: { readonly limit: number; readonly session?: string },
): Promise<{ readonly sessions: readonly SessionEntry[]; readonly more: boolean }> {
  const sessions: SessionEntry[] = [];
  let before: string | undefined;
  do {
    const part = await records.history({
      limit: Math.min(HISTORY_LIMIT_MAX, limit - sessions.length),
      ...(session === undefined ? {} : { session }),
      ...(before === undefined ? {} : { before }),
    });
    sessions.push(...part.sessions);
    before = part.next;
  } while (before !== undefined && sessions.length < limit);
  return { sessions, more: before !== undefined };
}
