import type { Screen, View } from "../../../src/cli/view/view.ts";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import type { SessionView } from "../../../src/protocol/messages/session-view.ts";
import { sampleProgress, sampleSink } from "../terminal/sample-events.ts";

/** The state of a view after events that are a second apart. */
export function stateAfter<Event, State>(view: View<Event, State>, events: readonly Event[]): State {
  return events.reduce((state, event, index) => view.next(state, event, index * 1000), view.initial);
}

export function linesOf(screen: Screen): readonly string[] {
  return screen.kind === "lines" ? screen.lines : screen.kind === "waiting" ? [screen.text] : [];
}

export const sampleSinks = [
  sampleSink("alpha"),
  sampleSink("beta", { state: "proven" }),
  sampleSink("a-sink-with-a-rather-long-name", { state: "failed" }),
];

/** A coordinator's session in its middle. */
export function sampleSession(view: Partial<SessionView> = {}): Extract<CoordinatorEvent, { type: "session" }> {
  return {
    type: "session",
    view: {
      session: "photos",
      sessionId: "s1",
      epoch: 1,
      state: "running",
      source: "laptop",
      needed: 3,
      sinks: sampleSinks,
      progress: sampleProgress(),
      ...view,
    },
  };
}
