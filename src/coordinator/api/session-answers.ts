import type { DatabaseSync } from "node:sqlite";
import type { z } from "zod";
import { FanfoldError } from "../../lib/errors.ts";
import type {
  historyQuerySchema,
  historySchema,
  SessionDetail,
  SessionEntry,
  SessionMember,
  SessionRates,
} from "../../protocol/api/answer-schemas.ts";
import type { RatePoint } from "../../protocol/api/trail.ts";
import { sessionSummaryShape } from "../../protocol/messages/progress.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { withoutNulls } from "../history/without-nulls.ts";

type KeptDetail = Omit<SessionDetail, "view"> & { readonly view?: SessionView };
type Row = Readonly<Record<string, unknown>>;

/** Of a summary only what a list shows: one of many sinks is long. */
const ENTRY = `SELECT s.id AS sessionId, s.name AS session, s.epoch, s.state, s.opened, s.started, s.ended, s.result, s.reason,
  (SELECT name FROM members WHERE session_id = s.id AND role = 'source' ORDER BY epoch DESC LIMIT 1) AS source,
  (SELECT directory FROM members WHERE session_id = s.id AND role = 'source' ORDER BY epoch DESC LIMIT 1) AS directory,
  (SELECT count(*) FROM members WHERE session_id = s.id AND role = 'sink' AND epoch > 0) AS sinks,
  s.summary ->> 'files' AS files, s.summary ->> 'bytes' AS bytes, s.summary ->> 'bytesSent' AS bytesSent,
  s.summary ->> 'problemCount' AS problemCount, s.summary ->> 'elapsedMs' AS elapsedMs, s.summary ->> 'digest' AS digest
  FROM sessions s`;

/** A part of the history, the latest session first. @throws FanfoldError `usage` */
export function historyAnswer(
  database: DatabaseSync,
  { session, before, id, limit }: z.infer<typeof historyQuerySchema>,
): z.infer<typeof historySchema> {
  const last = before === undefined ? undefined : entryRow(database, before);
  if (before !== undefined && last === undefined)
    throw new FanfoldError(
      "usage",
      `cannot list what came before session ${before}: it is not in the history any more; begin again without "before"`,
    );
  const rows = database
    .prepare(
      `${ENTRY} WHERE (?1 IS NULL OR s.name = ?1)
       AND (?4 IS NULL OR s.id GLOB ?4 || '*')
       AND (?2 IS NULL OR (s.opened, s.rowid) < (SELECT opened, rowid FROM sessions WHERE id = ?2))
       ORDER BY s.opened DESC, s.rowid DESC LIMIT ?3`,
    )
    .all(session ?? null, before ?? null, limit + 1, id ?? null);
  const sessions = rows.slice(0, limit).map(entryOf);
  const next = sessions.at(-1)?.sessionId;
  return { sessions, ...(rows.length > limit && next !== undefined ? { next } : {}) };
}

/** All that is known of one session; undefined when nothing is. */
export function sessionAnswer(
  database: DatabaseSync,
  id: string,
  views: readonly SessionView[],
): KeptDetail | undefined {
  const row = entryRow(database, id);
  if (row === undefined) return undefined;
  const view = views.find(({ sessionId }) => sessionId === id);
  const text = database.prepare("SELECT summary FROM sessions WHERE id = ?").get(id)?.["summary"];
  const summary = typeof text === "string" ? sessionSummaryShape.accept(JSON.parse(text)) : undefined;
  const members = database
    .prepare(
      `SELECT member_id AS id, role, name, identity AS key, epoch, dry_run AS dryRun, receipt
       FROM members WHERE session_id = ? ORDER BY rowid`,
    )
    .all(id);
  return {
    ...entryOf(row),
    members: members.map(memberOf),
    ...(view === undefined ? {} : { view }),
    ...(summary === undefined ? {} : { summary }),
  };
}

/** Of a session that runs, what was seen of it by now; of one that is over, what is kept. Undefined: nothing is known of it. */
export function ratesAnswer(
  database: DatabaseSync,
  id: string,
  live: readonly RatePoint[] | undefined,
): SessionRates | undefined {
  if (live !== undefined) return { rates: [...live] };
  const row = database.prepare("SELECT rates FROM sessions WHERE id = ?").get(id);
  if (row === undefined) return undefined;
  return { rates: typeof row["rates"] === "string" ? (JSON.parse(row["rates"]) as RatePoint[]) : [] };
}

function entryRow(database: DatabaseSync, id: string): Row | undefined {
  return database.prepare(`${ENTRY} WHERE s.id = ?`).get(id);
}

function entryOf(row: Row): SessionEntry {
  return withoutNulls(row) as SessionEntry;
}

function memberOf({ epoch, dryRun, ...rest }: Row): SessionMember {
  const member = { ...rest, tookPart: Number(epoch) > 0, dryRun: dryRun !== 0 };
  return withoutNulls(member) as SessionMember;
}
