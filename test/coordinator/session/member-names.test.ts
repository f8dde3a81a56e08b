import { describe, expect, test } from "vitest";
import { effectOf, identityOf, messageTo, SlotDriver } from "./slot-driver.ts";

const names = (slot: SlotDriver) => slot.state.members.map((member) => member.name);

describe("a name that was not asked for", () => {
  test("has the folder's name where the machine's is taken, and a number where that is taken, too", () => {
    const slot = new SlotDriver();
    slot.enter("so", "source", { label: "vm", labelElse: "vm-photos", needed: 9 });
    for (const id of ["k1", "k2", "k3"]) slot.enter(id, "sink", { label: "vm", labelElse: "vm-backup" });
    slot.enter("k4", "sink", { label: "vm", labelElse: "vm-attic" });
    expect(names(slot)).toEqual(["vm", "vm-backup", "vm-backup-2", "vm-backup-3", "vm-attic"]);
  });
});

describe("a new process of a member that a session holds", () => {
  function held(): SlotDriver {
    const slot = new SlotDriver();
    for (const id of ["k1", "k2"]) slot.enter(id, "sink");
    slot.enter("so", "source", { needed: 2 });
    slot.lose("k1");
    return slot;
  }

  test("gets the name that was asked for, and so the source and the others are told", () => {
    const slot = held();
    const order = { identity: identityOf("k1"), label: "attic", labelAsked: true };
    expect(effectOf(slot.join("new", "sink", order), "welcome").member).toMatchObject({ id: "k1", name: "attic" });
    const effects = slot.ready("k1");
    const attic = { id: "k1", name: "attic" };
    expect(messageTo(effects, "so", "joined")).toMatchObject({ member: attic, restarted: true });
    expect(effectOf(effects, "joined").session.sinks).toEqual([attic, { id: "k2", name: "k2" }]);
    expect(messageTo(effects, "k1", "start").sinks).toEqual([attic, { id: "k2", name: "k2" }]);
    // The name that it had is free.
    expect(effectOf(slot.join("k3", "sink", { label: "k1", labelAsked: true }), "welcome").member.name).toBe("k1");
  });

  test("is refused a name that another member has, and may ask for the one that it has", () => {
    const slot = held();
    const same = { identity: identityOf("k1"), labelAsked: true };
    expect(effectOf(slot.join("new", "sink", { ...same, label: "k2" }), "refuse").code).toBe("name-taken");
    expect(effectOf(slot.join("new", "sink", { ...same, label: "k1" }), "welcome").member.name).toBe("k1");
  });

  test("keeps its name when none was asked for", () => {
    const slot = held();
    const effects = slot.join("new", "sink", { identity: identityOf("k1"), label: "vm", labelElse: "vm-backup" });
    expect(effectOf(effects, "welcome").member.name).toBe("k1");
  });

  test("gets it as a source that takes its session over, too", () => {
    const slot = held();
    slot.lose("so");
    slot.join("new", "source", { identity: identityOf("so"), label: "laptop", labelAsked: true, needed: 1 });
    slot.ready("so");
    expect(slot.state.running?.source).toEqual({ id: "so", name: "laptop" });
  });
});
