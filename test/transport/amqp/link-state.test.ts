import { describe, expect, it } from "vitest";
import { LinksState } from "../../../src/transport/amqp/link-state.ts";
import type { TransportStatus } from "../../../src/transport/transport.ts";

function stateOf() {
  const told: TransportStatus["type"][] = [];
  const state = new LinksState(({ type }) => told.push(type));
  return { state, told, publishing: {}, consuming: {} };
}

describe("LinkState", () => {
  it("is disconnected from the first link lost until the last one is back", () => {
    const { state, told, publishing, consuming } = stateOf();
    state.lost(publishing, "gone");
    state.lost(consuming, "gone");
    state.retrying(1);
    state.restored(publishing);
    expect(told).toEqual(["disconnected", "reconnecting"]);
    state.restored(consuming);
    expect(told).toEqual(["disconnected", "reconnecting", "reconnected"]);
  });

  it("says nothing about a link that comes up and was never lost", () => {
    const { state, told, publishing } = stateOf();
    state.restored(publishing);
    expect(told).toEqual([]);
  });

  it("is blocked once for both links, and not by a link that was made anew", () => {
    const { state, told, publishing, consuming } = stateOf();
    state.blocked(publishing, "low on memory");
    state.blocked(consuming, "low on memory");
    state.unblocked(publishing);
    expect(told).toEqual(["blocked"]);
    state.restored(consuming);
    expect(told).toEqual(["blocked", "unblocked"]);
  });
});
