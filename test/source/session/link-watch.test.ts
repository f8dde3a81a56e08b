import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { LinkWatch } from "../../../src/source/session/link-watch.ts";
import { StatusHub } from "../../../src/transport/status-hub.ts";
import { createMemoryBroker } from "../../helpers/transports/memory-broker.ts";

test("LinkWatch knows whether the source's own link stands", async () => {
  const hub = new StatusHub();
  const transport = createMemoryBroker().connect();
  const watch = new LinkWatch(Object.assign(transport, { status: () => hub.statuses() }));
  expect(watch.isUp).toBe(true);
  for (const [status, isUp] of [
    [{ type: "disconnected", reason: "reset" }, false],
    [{ type: "reconnecting", attempt: 1 }, false],
    [{ type: "reconnected" }, true],
    [{ type: "blocked", reason: "memory" }, false],
    [{ type: "lost", subject: "s", messages: 1, bytes: 1 }, false],
    [{ type: "unblocked" }, true],
  ] as const) {
    hub.emit(status);
    await setImmediate();
    expect(watch.isUp).toBe(isUp);
  }
});
