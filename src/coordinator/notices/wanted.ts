import { FanfoldError } from "../../lib/errors.ts";
import type { WantedSession } from "../../protocol/api/answer-schemas.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { WantedStore } from "../history/wanted-store.ts";

/** Names of sessions that must have a whole copy within a time: one name, or a glob. */
export interface Want {
  readonly session: string;
  readonly withinMs: number;
}

type WantedEvent = Extract<CoordinatorEvent, { type: "missed" | "recovered" }>;

const WANTS_MAX = 64;
/** Of one pattern: bounds what is looked at. */
const NAMES_MAX = 256;
/** A minute and a year. */
const WITHIN_MS_MIN = 60_000;
const WITHIN_MS_MAX = 366 * 86_400_000;
const PATTERN = /^[A-Za-z0-9*][A-Za-z0-9._*-]{0,63}$/;

/** @throws FanfoldError `usage` */
export function checkWants(wants: readonly Want[]): void {
  if (wants.length > WANTS_MAX)
    throw new FanfoldError("usage", `cannot watch ${wants.length} names of sessions: want at most ${WANTS_MAX}`);
  for (const { session, withinMs } of wants) {
    if (!PATTERN.test(session))
      throw new FanfoldError(
        "usage",
        `cannot watch the session ${JSON.stringify(session.slice(0, 100))}: want a name of at most 64 letters, digits, dots, dashes and underscores, with * for any of them`,
      );
    if (withinMs < WITHIN_MS_MIN || withinMs > WITHIN_MS_MAX)
      throw new FanfoldError("usage", `cannot watch the session "${session}": want a time from 1m to 366d`);
  }
}

interface WatchedNames {
  /** And the time of each. */
  readonly names: ReadonlyMap<string, number>;
  /** Patterns that more names match than are watched. */
  readonly full: readonly string[];
}

/**
 * The names that are watched: a name without * as it is, and the first ones that match the others. The first want of a
 * name counts.
 */
function watchedNames(wants: readonly Want[], known: readonly string[]): WatchedNames {
  const names = new Map<string, number>();
  const full: string[] = [];
  for (const { session, withinMs } of wants) {
    const fitting = session.includes("*") ? known.filter(matcherOf(session)) : [session];
    if (fitting.length > NAMES_MAX) full.push(session);
    for (const name of fitting.slice(0, NAMES_MAX)) if (!names.has(name)) names.set(name, withinMs);
  }
  return { names, full };
}

function matcherOf(glob: string): (name: string) => boolean {
  const text = glob
    .split("*")
    .map((part) => part.replaceAll(/[.-]/g, "\\$&"))
    .join(".*");
  const pattern = new RegExp(`^${text}$`);
  return (name) => pattern.test(name);
}

/** What has changed for one name since it was looked at last; undefined when nothing has. */
export function wantedChange(wanted: WantedSession, now: Date): WantedEvent | undefined {
  const { session, withinMs, since, lastProven, missed } = wanted;
  const from = lastProven === undefined ? Date.parse(since) : Date.parse(lastProven);
  const isMissed = now.getTime() - from > withinMs;
  if (isMissed === (missed !== undefined)) return undefined;
  if (isMissed)
    return { type: "missed", session, withinMs, since, ...(lastProven === undefined ? {} : { lastProven }) };
  return {
    ...{ type: "recovered", session, withinMs, missed: missed ?? since },
    ...(lastProven === undefined ? {} : { lastProven }),
  };
}

/** What was written down, where it is less than what is wanted. */
interface WatchChange {
  readonly full: readonly string[];
  /** Names that a want still fits, and that the history does not know any more. */
  readonly dropped: readonly string[];
}

/** Writes down which names are watched from now on. */
export function watch(store: WantedStore, wants: readonly Want[], now: Date): WatchChange {
  const known = wants.some(({ session }) => session.includes("*")) ? store.knownNames() : [];
  const { names, full } = watchedNames(wants, known);
  const gone = store.list().filter(({ session }) => !names.has(session));
  for (const { session } of gone) store.remove(session);
  for (const [session, withinMs] of names) store.put({ session, withinMs, since: now });
  const matchers = wants.map(({ session }) => matcherOf(session));
  const dropped = gone.map(({ session }) => session).filter((name) => matchers.some((fits) => fits(name)));
  return { full, dropped };
}
