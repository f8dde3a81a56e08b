import { expect, test } from "vitest";
import { Orders } from "../../../src/coordinator/session/orders.ts";
import { SlotDriver } from "./slot-driver.ts";

/** How many sources an order to run now counts, besides those that stand by. */
function counted(slot: SlotDriver, standingBy = 0): number {
  const orders = new Orders({
    slots: new Map([["photos", slot.state]]),
    effects: { clients: new Map(), cut: () => undefined },
    connections: new Map(),
    standby: { run: () => standingBy },
    apply: () => undefined,
    gone: () => undefined,
    shutOut: () => undefined,
  });
  return orders.run("photos");
}

test("a source that waits for its sinks, or copies, is at the run that is wanted; one that does not listen is not", () => {
  const slot = new SlotDriver();
  slot.join("so", "source");
  expect(counted(slot)).toBe(0);
  expect(counted(slot, 2)).toBe(2);
  slot.ready("so");
  expect(counted(slot)).toBe(1);
  slot.enter("k1", "sink");
  expect(slot.state.running).toBeDefined();
  expect(counted(slot, 1)).toBe(2);
  slot.lose("so");
  expect(counted(slot)).toBe(0);
});

test("a dry run brings nothing, whether it waits or runs", () => {
  const slot = new SlotDriver();
  slot.enter("so", "source", { dryRun: true });
  expect(counted(slot)).toBe(0);
  slot.enter("k1", "sink");
  expect(slot.state.running).toBeDefined();
  expect(counted(slot)).toBe(0);
});
