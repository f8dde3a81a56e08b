import type { Store } from "../../../src/coordinator/history/store.ts";
import type { SlotMember } from "../../../src/coordinator/session/session-slot.ts";

/** A session that runs: one sink, one source. */
export const at = new Date("2026-01-02T03:04:05Z");
export const session = { id: "abc123abc123", epoch: 1 };
export const sink: SlotMember = {
  id: "k1k1k1",
  name: "alpha",
  role: "sink",
  identity: "ef".repeat(32),
  stay: true,
  needed: 1,
  expected: [],
  dryRun: false,
  place: [],
  sessionId: session.id,
  ready: true,
  startedEpoch: 1,
  belongs: true,
  untold: false,
};
export const source: SlotMember = {
  ...sink,
  id: "sososo",
  name: "beta",
  role: "source",
  identity: "ab".repeat(32),
  stay: false,
  directory: "photos",
};
export const running = {
  ...session,
  source: { id: source.id, name: "beta" },
  directory: "photos",
  sinks: [{ id: sink.id, name: "alpha" }],
};

/** What a coordinator writes until a session runs. */
export function begin(store: Store): void {
  store.opened(session, "default", at);
  store.joined(sink, "ticket of alpha");
  store.joined({ ...source, needed: 3, dryRun: true }, undefined);
  store.started(running, at);
}
