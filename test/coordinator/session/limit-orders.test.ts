import { expect, test } from "vitest";
import { messageTo, SlotDriver, told } from "./slot-driver.ts";

const order = (slot: SlotDriver, memberId: string, limit: string) => slot.feed({ type: "limit", memberId, limit });
const limitOf = (slot: SlotDriver, id: string) => slot.state.members.find((member) => member.id === id)?.limit;

test("an order goes to its member alone, and to nobody who is not there", () => {
  const slot = new SlotDriver();
  slot.enter("k1", "sink");
  slot.enter("so", "source");
  expect(messageTo(order(slot, "k1", "1M"), "k1", "limit").limit).toBe("1M");
  expect(told(order(slot, "k1", "1M"), "so")).toEqual([]);
  expect(order(slot, "nobody", "1M")).toEqual([]);
});

test("a member that comes back is told the latest order, also one that took another back while it was away", () => {
  const slot = new SlotDriver();
  slot.enter("k1", "sink");
  slot.enter("so", "source");
  order(slot, "k1", "1M");
  slot.lose("k1");
  expect(order(slot, "k1", "default")).toEqual([]);
  expect(told(slot.back("k1", "sink"), "k1").filter((type) => type === "limit")).toHaveLength(1);
  slot.lose("k1");
  expect(messageTo(slot.back("k1", "sink"), "k1", "limit").limit).toBe("default");
});

test("a new process of a member is told, too; in the next session nobody is", () => {
  const slot = new SlotDriver();
  slot.enter("k1", "sink", { stay: true });
  slot.enter("so", "source");
  order(slot, "k1", "off");
  slot.lose("k1");
  expect(messageTo(slot.join("k1", "sink", { stay: true }), "k1", "limit").limit).toBe("off");
  slot.ready("k1");
  expect(told(slot.finish("so"), "k1")).not.toContain("limit");
  expect(told(slot.ready("k1"), "k1")).not.toContain("limit");
});

test("what a member says of itself is known until another process of it comes", () => {
  const slot = new SlotDriver();
  slot.enter("k1", "sink");
  slot.enter("so", "source");
  const limit = { bytesPerSecond: 1024, from: "option" } as const;
  expect(slot.feed({ type: "limited", memberId: "k1", limit })).toEqual([]);
  expect(limitOf(slot, "k1")).toEqual(limit);
  slot.lose("k1");
  expect(limitOf(slot, "k1")).toEqual(limit);
  slot.enter("k1", "sink");
  expect(limitOf(slot, "k1")).toBeUndefined();
});
