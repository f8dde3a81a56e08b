import { describe, expect, test } from "vitest";
import { identityOf, messageTo, SlotDriver } from "./slot-driver.ts";

describe("where the source's directory stands [P-1.7]", () => {
  test("is told to every sink, also to one that comes late", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    const effects = slot.enter("so", "source", { place: ["here", "above"] });
    expect(messageTo(effects, "k1", "start").sourcePlace).toEqual(["here", "above"]);
    expect(messageTo(slot.enter("k2", "sink"), "k2", "start").sourcePlace).toEqual(["here", "above"]);
  });

  test("is told as it is by now when the source is back", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.enter("so", "source", { place: ["here"] });
    slot.lose("so");
    slot.enter("k3", "sink");
    slot.back("so", "source", { place: ["there"] });
    expect(messageTo(slot.ready("so"), "k3", "start").sourcePlace).toEqual(["there"]);
  });

  test("gets the present state when another process of the source has taken the session over", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    slot.enter("so", "source", { place: ["here"] });
    slot.lose("so");
    slot.join("new", "source", { identity: identityOf("so"), place: ["there"] });
    expect(messageTo(slot.ready("so"), "so", "start").sourcePlace).toEqual(["there"]);
  });
});
