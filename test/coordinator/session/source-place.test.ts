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

  test("comes with the name of the directory, where the source says it", () => {
    const slot = new SlotDriver();
    slot.enter("k1", "sink");
    expect(messageTo(slot.enter("so", "source"), "k1", "start")).not.toHaveProperty("sourceDirectory");
    const named = new SlotDriver();
    named.enter("k1", "sink");
    const effects = named.enter("so", "source", { directory: "photos" });
    expect(messageTo(effects, "k1", "start").sourceDirectory).toBe("photos");
    expect(messageTo(named.enter("k2", "sink"), "k2", "start").sourceDirectory).toBe("photos");
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
