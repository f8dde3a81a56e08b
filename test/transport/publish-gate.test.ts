import { describe, expect, it } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { PublishGate } from "../../src/transport/publish-gate.ts";
import { expectCode, NEVER } from "../contract/contract-tools.ts";

const GAVE_UP = new FanfoldError("interrupted", "The test gave up");

/** A gate, and what has passed it, as [name, generation]. */
function gateOf(limitBytes: number) {
  const gate = new PublishGate({ limitBytes });
  const passed: [string, number][] = [];
  const pass = (name: string, bytes: number, signal = NEVER): Promise<void> =>
    gate.pass(bytes, signal, (generation) => passed.push([name, generation]));
  return { gate, passed, pass, names: () => passed.map(([name]) => name) };
}

describe("PublishGate", () => {
  it("lets pass at once what fits, and holds the rest until enough has left", async () => {
    const { gate, pass, names } = gateOf(100);
    await Promise.all([pass("a", 60), pass("b", 40)]);
    const held = pass("c", 50);
    expect(names()).toEqual(["a", "b"]);
    gate.leave(40, 0);
    expect(names()).toEqual(["a", "b"]);
    gate.leave(60, 0);
    await held;
    expect(names()).toEqual(["a", "b", "c"]);
  });

  it("lets a payload larger than the limit pass alone", async () => {
    const { gate, pass, names } = gateOf(100);
    await pass("large", 500);
    const next = pass("next", 1);
    expect(names()).toEqual(["large"]);
    gate.leave(500, 0);
    await next;
    expect(names()).toEqual(["large", "next"]);
  });

  it("keeps the order of the calls: a small one does not overtake a large one that waits", async () => {
    const { gate, pass, names } = gateOf(100);
    await pass("first", 80);
    const waiting = [pass("large", 90), pass("small", 1)];
    expect(names()).toEqual(["first"]);
    gate.leave(80, 0);
    await Promise.all(waiting);
    expect(names()).toEqual(["first", "large", "small"]);
  });

  it("refuses with the reason of the signal, and lets those behind pass", async () => {
    const { pass, names } = gateOf(100);
    await pass("first", 80);
    const controller = new AbortController();
    const large = pass("large", 90, controller.signal);
    const small = pass("small", 1);
    controller.abort(GAVE_UP);
    await expectCode(large, "interrupted");
    await small;
    expect(names()).toEqual(["first", "small"]);
  });

  it("refuses as broker-lost when the signal aborts while the link is down", async () => {
    const { gate, pass } = gateOf(100);
    gate.down();
    const controller = new AbortController();
    const held = pass("a", 1, controller.signal);
    controller.abort(GAVE_UP);
    await expectCode(held, "broker-lost");
  });

  it("forgets what was under way on a link that went down", async () => {
    const { gate, pass, passed } = gateOf(100);
    await pass("lost", 100);
    gate.down();
    const held = pass("held", 100);
    gate.up();
    await held;
    // The late answer for the first link must not make room on the second.
    gate.leave(100, 0);
    const third = pass("third", 1);
    expect(passed).toEqual([
      ["lost", 0],
      ["held", 1],
    ]);
    gate.leave(100, 1);
    await third;
  });

  it("holds everyone until every hold is released", async () => {
    const { gate, pass, names } = gateOf(100);
    const holds = [gate.hold(), gate.hold()];
    const held = pass("a", 1);
    holds[0]?.[Symbol.dispose]();
    holds[0]?.[Symbol.dispose]();
    expect(names()).toEqual([]);
    holds[1]?.[Symbol.dispose]();
    await held;
    expect(names()).toEqual(["a"]);
  });

  it("says when nobody waits, and when all that passed has left", async () => {
    const { gate, pass } = gateOf(100);
    await pass("a", 100);
    const held = pass("b", 100);
    const told: string[] = [];
    const empty = gate.empty(NEVER).then(() => told.push("empty"));
    const settled = gate.settled(NEVER).then(() => told.push("settled"));
    gate.leave(100, 0);
    await held;
    await empty;
    expect(told).toEqual(["empty"]);
    gate.leave(100, 0);
    await settled;
    expect(told).toEqual(["empty", "settled"]);
  });

  it("gives the caller what its send throws", async () => {
    const { gate } = gateOf(100);
    const fails = (): never => {
      throw GAVE_UP;
    };
    await expectCode(gate.pass(1, NEVER, fails), "interrupted");
  });

  it("refuses those who wait and those who come once it is closed", async () => {
    const { gate, pass } = gateOf(100);
    await pass("a", 100);
    const held = pass("b", 1);
    gate.close(new FanfoldError("closed", "Publish: closed"));
    await expectCode(held, "closed");
    await expectCode(pass("c", 1), "closed");
    await gate.settled(NEVER);
  });
});
