import { type ReadonlySignal, signal } from "@preact/signals";
import type { FleetSink, SessionEntry, WantedSession } from "../../protocol/api/answer-schemas.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { inOrder } from "../../words/sink-order.ts";
import { ask } from "./ask.ts";

/** What changes together is asked for once. */
const SETTLE_MS = 500;
/** Sinks say how much space they have every few seconds. */
const SPACE_SETTLE_MS = 3000;
const ENTRIES = 50;

interface HistoryPage {
  readonly sessions: readonly SessionEntry[];
  readonly next?: string;
}

const entries = signal<readonly SessionEntry[] | undefined>(undefined);
const more = signal<string | undefined>(undefined);
const sinks = signal<readonly FleetSink[] | undefined>(undefined);
const unproven = signal<readonly WantedSession[]>([]);
const version = signal(0);
let nextRead: Promise<void> | undefined;
let isFleetWaiting = false;
let isReadingOlder = false;
let olderWereRead = false;

/** Sessions that are over, the latest first; undefined until the coordinator has told. */
export const history: ReadonlySignal<readonly SessionEntry[] | undefined> = entries;
/** Set when there are older ones. */
export const olderFrom: ReadonlySignal<string | undefined> = more;
export const fleet: ReadonlySignal<readonly FleetSink[] | undefined> = sinks;
/** Names that are watched and have no whole copy in time. */
export const missed: ReadonlySignal<readonly WantedSession[]> = unproven;

/** Rises when something that is kept may have changed. */
export const recordsVersion: ReadonlySignal<number> = version;

/** Asks anew for what changes when a session ends, or a copy is missed. Resolves when it was told, or cannot be. */
export function refreshRecords(): Promise<void> {
  nextRead ??= new Promise((resolve) => {
    setTimeout(() => {
      nextRead = undefined;
      void read().then(resolve);
    }, SETTLE_MS);
  });
  return nextRead;
}

/** Asks anew for the sinks alone: one of them has another space. */
export function refreshFleet(): void {
  if (isFleetWaiting) return;
  isFleetWaiting = true;
  setTimeout(() => {
    isFleetWaiting = false;
    askForSinks().catch(() => undefined);
  }, SPACE_SETTLE_MS);
}

async function askForSinks(): Promise<void> {
  const known = await ask<{ readonly sinks: readonly FleetSink[] }>(API_PATHS.sinks);
  sinks.value = inOrder(known.sinks, () => "registered");
}

async function read(): Promise<void> {
  version.value += 1;
  try {
    const [{ sessions, next }, { wanted }] = await Promise.all([
      ask<HistoryPage>(`${API_PATHS.history}?limit=${ENTRIES}`),
      ask<{ readonly wanted: readonly WantedSession[] }>(API_PATHS.wanted),
      askForSinks(),
    ]);
    takeLatest(sessions, next);
    unproven.value = wanted.filter((each) => each.missed !== undefined);
  } catch {
    // The stream tells that the coordinator is gone, and asks for this again when it is back.
  }
}

/** Older ones that were loaded stay, unless so much has ended meanwhile that there would be a gap between. */
function takeLatest(sessions: readonly SessionEntry[], next: string | undefined): void {
  const latest = ended(sessions);
  const known = entries.value ?? [];
  const ids = idsOf(latest);
  const older = known.filter(({ sessionId }) => !ids.has(sessionId));
  const meets = older.length < known.length && (olderWereRead || isReadingOlder);
  entries.value = meets ? [...latest, ...older] : latest;
  if (meets) return;
  olderWereRead = false;
  more.value = next;
}

/** Does nothing while it reads already. @throws Refusal */
export async function readOlder(): Promise<void> {
  const before = more.value;
  if (before === undefined || isReadingOlder) return;
  isReadingOlder = true;
  try {
    const { sessions, next } = await ask<HistoryPage>(`${API_PATHS.history}?limit=${ENTRIES}&before=${before}`);
    // So much may have ended meanwhile that the list began anew.
    if (more.value !== before) return;
    const known = entries.value ?? [];
    const ids = idsOf(known);
    entries.value = [...known, ...ended(sessions).filter(({ sessionId }) => !ids.has(sessionId))];
    more.value = next;
    olderWereRead = true;
  } finally {
    isReadingOlder = false;
  }
}

function ended(sessions: readonly SessionEntry[]): readonly SessionEntry[] {
  return sessions.filter(({ state }) => state === "ended");
}

function idsOf(sessions: readonly SessionEntry[]): ReadonlySet<string> {
  return new Set(sessions.map(({ sessionId }) => sessionId));
}
