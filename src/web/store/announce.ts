import { type ReadonlySignal, signal } from "@preact/signals";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { isDryRun } from "../words/state-words.ts";

interface SaidChange {
  /** No two have the same. */
  readonly number: number;
  readonly text: string;
}

/** So many changes of one moment are all said. */
const KEPT_MAX = 8;

const said = signal<readonly SaidChange[]>([]);
let count = 0;

/** The latest changes that are worth to be said aloud, the newest last: states, never numbers. */
export const announced: ReadonlySignal<readonly SaidChange[]> = said;

export function forgetAnnounced(): void {
  said.value = [];
}

function say(text: string): void {
  count += 1;
  said.value = [...said.value.slice(1 - KEPT_MAX), { number: count, text }];
}

export function announce(before: SessionView | undefined, view: SessionView): void {
  if (before?.state === view.state) return;
  const { session, source = "its source" } = view;
  const what = view.directory === undefined ? "" : `${view.directory} `;
  if (view.state === "running" && isDryRun(view)) say(`${session}: ${source} compares with ${view.sinks.length} sinks`);
  else if (view.state === "running") say(`${session}: copying ${what}from ${source} to ${view.sinks.length} sinks`);
  else if (view.state === "paused") say(`${session}: paused, ${source} is away`);
  else if (view.state === "ended") say(`${session}: ended`);
  else if (before === undefined) say(`${session}: waiting`);
}

/** Of a name that is watched. */
export function announceWatched({ type, session }: Extract<CoordinatorEvent, { type: "missed" | "recovered" }>): void {
  say(type === "missed" ? `${session}: missed, no whole copy in time` : `${session}: has a whole copy again`);
}
