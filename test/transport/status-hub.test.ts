import { describe, expect, test } from "vitest";
import { StatusHub } from "../../src/transport/status-hub.ts";
import type { TransportStatus } from "../../src/transport/transport.ts";

async function all(statuses: AsyncIterable<TransportStatus>): Promise<TransportStatus[]> {
  const seen: TransportStatus[] = [];
  for await (const status of statuses) seen.push(status);
  return seen;
}

describe("a status hub", () => {
  test("gives each reader everything from its call on, and closed at the end", async () => {
    const hub = new StatusHub();
    hub.emit({ type: "slow-consumer" });
    const first = hub.statuses();
    hub.emit({ type: "disconnected", reason: "gone" });
    const second = hub.statuses();
    hub.emit({ type: "reconnected" });
    hub.close("the end");
    hub.close("again");
    const end = { type: "closed", reason: "the end" };
    expect(await all(first)).toEqual([{ type: "disconnected", reason: "gone" }, { type: "reconnected" }, end]);
    expect(await all(second)).toEqual([{ type: "reconnected" }, end]);
    expect(await all(hub.statuses())).toEqual([]);
  });

  test("adds up the losses of a subject that wait for a reader", async () => {
    const hub = new StatusHub();
    const statuses = hub.statuses();
    for (let count = 0; count < 1000; count += 1) hub.emit({ type: "lost", subject: "a", messages: 1, bytes: 10 });
    hub.emit({ type: "lost", subject: "b", messages: 2, bytes: 3 });
    hub.close();
    expect(await all(statuses)).toEqual([
      { type: "lost", subject: "a", messages: 1000, bytes: 10_000 },
      { type: "lost", subject: "b", messages: 2, bytes: 3 },
      { type: "closed" },
    ]);
  });

  test("keeps a bounded number of changes for a reader that is behind, the newest ones", async () => {
    const hub = new StatusHub();
    const statuses = hub.statuses();
    for (let attempt = 1; attempt <= 500; attempt += 1) hub.emit({ type: "reconnecting", attempt });
    hub.close();
    const seen = await all(statuses);
    expect(seen.length).toBe(64);
    expect(seen.at(-2)).toEqual({ type: "reconnecting", attempt: 500 });
    expect(seen.at(-1)).toEqual({ type: "closed" });
  });

  test("forgets a reader that stopped", async () => {
    const hub = new StatusHub();
    const statuses = hub.statuses();
    hub.emit({ type: "reconnected" });
    for await (const status of statuses) {
      expect(status).toEqual({ type: "reconnected" });
      break;
    }
    hub.emit({ type: "slow-consumer" });
    expect(await all(statuses)).toEqual([]);
  });
});
