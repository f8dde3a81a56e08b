import { describe, expect, test } from "vitest";
import { effectOf, messageTo, SlotDriver } from "./slot-driver.ts";

const SEAL = { by: "coordinator", secret: "a".repeat(43) } as const;

function sealed(): SlotDriver {
  const slot = new SlotDriver();
  slot.enter("k1", "sink");
  slot.join("so", "source");
  slot.feed({ type: "seal", memberId: "so", seal: SEAL });
  slot.ready("so");
  return slot;
}

describe("the secret of a sealed session", () => {
  test("is told to each sink with its start, also to one that comes late", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.join("so", "source");
    slot.feed({ type: "seal", memberId: "so", seal: SEAL });
    expect(messageTo(slot.ready("so"), "k1", "start")).toMatchObject({ seal: SEAL });
    expect(messageTo(slot.enter("k2", "sink"), "k2", "start")).toMatchObject({ seal: SEAL, late: true });
  });

  test("is not that of the source's next process", () => {
    const slot = sealed();
    slot.lose("so");
    expect(messageTo(slot.enter("so", "source"), "k1", "start").seal).toBeUndefined();
  });

  test("may be said again by a source that comes back, before its lost link was missed as after", () => {
    const slot = sealed();
    slot.back("so", "source");
    const early = slot.feed({ type: "seal", memberId: "so", seal: SEAL });
    expect(early.map(({ type }) => type)).toEqual(["sealed"]);
    slot.lose("so");
    slot.back("so", "source");
    const effects = slot.feed({ type: "seal", memberId: "so", seal: SEAL });
    expect(effectOf(effects, "sealed")).toMatchObject({ seal: SEAL });
    expect(effects.some(({ type }) => type === "violation")).toBe(false);
  });

  test("is no sink's to say, and is not changed in the middle of a session", () => {
    const slot = sealed();
    const others = [
      ["k1", SEAL],
      ["so", { by: "coordinator", secret: "b".repeat(43) }],
    ] as const;
    for (const [memberId, seal] of others)
      expect(effectOf(slot.feed({ type: "seal", memberId, seal }), "violation").memberId).toBe(memberId);
  });
});
