import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { StreamEvent } from "../../protocol/api/event-schemas.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";
import { announce, announceWatched } from "./announce.ts";
import { ShownSession } from "./shown-session.ts";

/** How often the page is drawn again: what people can read. */
const DRAW_EVERY_MS = 200;
/** With very much to show it is drawn less often: it works for at most this part of the time, so that it stays fluid. */
const WORK_PART_MAX = 0.25;
const DRAW_EVERY_MS_MAX = 2000;
/** What copies comes first. */
const ORDER: readonly SessionView["state"][] = ["running", "paused", "waiting"];

const known = new Map<string, ShownSession>();
const isTold = signal(false);
const listed = signal<readonly ShownSession[]>([]);
/** Views that came since the page was drawn, by session: the latest of each. */
const pending = new Map<string, SessionView>();
let drawing = false;
/** How long the latest drawing took. */
let tookMs = 0;
let whenChanged: () => Promise<void> = async () => undefined;
let whenSpaceChanged: () => void = () => undefined;

/** All that wait or run, those that copy first. */
export const sessions: ReadonlySignal<readonly ShownSession[]> = listed;

/** The coordinator has told which there are. */
export const hasSessions: ReadonlySignal<boolean> = isTold;

export function sessionWith(id: string): ShownSession | undefined {
  return listed.value.find((each) => each.id === id);
}

/**
 * `changed` is called when the coordinator may keep something new: a session has ended, a member came or went, a copy is
 * missed or is there again. It resolves when what is kept was read. `spaceChanged`: a sink has more or less free space.
 */
export function onChange(changed: () => Promise<void>, spaceChanged: () => void): void {
  whenChanged = changed;
  whenSpaceChanged = spaceChanged;
}

/** Takes one event of the stream. */
export function takeEvent(data: string): void {
  const event = JSON.parse(data) as StreamEvent;
  if (event.type === "session") pending.set(event.view.sessionId, event.view);
  else if (event.type === "snapshot") takeAll(event.sessions);
  else if (event.type === "missed" || event.type === "recovered") {
    announceWatched(event);
    void whenChanged();
  } else if (event.type === "finished" || event.type === "registered" || event.type === "left") void whenChanged();
  else return;
  drawSoon();
}

/** All that there is: what the page knew and is not in it is over. */
function takeAll(views: readonly SessionView[]): void {
  const ids = new Set(views.map(({ sessionId }) => sessionId));
  pending.clear();
  for (const id of [...known.keys()]) if (!ids.has(id)) known.delete(id);
  for (const view of views) pending.set(view.sessionId, view);
  void whenChanged();
}

function drawSoon(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(
    () => {
      // A page that nobody sees is not drawn, and goes on counting.
      if (document.hidden) draw();
      else requestAnimationFrame(draw);
    },
    Math.min(DRAW_EVERY_MS_MAX, Math.max(DRAW_EVERY_MS, tookMs / WORK_PART_MAX)),
  );
}

function draw(): void {
  drawing = false;
  const nowMs = performance.now();
  const views = [...pending.values()];
  pending.clear();
  batch(() => {
    isTold.value = true;
    for (const view of views) show(withSafeText(view), nowMs);
    list();
  });
  // By then what changed is in the document.
  setTimeout(() => {
    tookMs = performance.now() - nowMs;
  });
}

function show(view: SessionView, nowMs: number): void {
  const { sessionId } = view;
  const before = known.get(sessionId)?.shown.peek().view;
  announce(before, view);
  if (before !== undefined && hasOtherSpace(before, view)) whenSpaceChanged();
  const session = known.get(sessionId);
  if (view.state === "ended") letGo(view);
  // Of one that never began nothing stays.
  if (view.state === "ended" && view.source === undefined) known.delete(sessionId);
  else if (session !== undefined) session.take(view, nowMs);
  else if (view.state !== "ended") known.set(sessionId, new ShownSession(view, nowMs));
}

/** A session that is over stays in sight until it stands among those that are kept: else it would seem that nothing was. */
function letGo({ sessionId }: SessionView): void {
  void whenChanged().then(() => {
    known.delete(sessionId);
    list();
  });
}

function list(): void {
  const next = inOrder([...known.values()]);
  if (next.some((each, index) => each !== listed.value[index]) || next.length !== listed.value.length)
    listed.value = next;
}

function hasOtherSpace(before: SessionView, view: SessionView): boolean {
  return view.sinks.some(({ freeBytes }, index) => freeBytes !== before.sinks[index]?.freeBytes);
}

function inOrder(all: readonly ShownSession[]): ShownSession[] {
  const rank = ({ shown }: ShownSession): number => ORDER.indexOf(shown.peek().view.state);
  const name = ({ shown }: ShownSession): string => shown.peek().view.session;
  return [...all].sort((one, other) => rank(one) - rank(other) || (name(one) < name(other) ? -1 : 1));
}
