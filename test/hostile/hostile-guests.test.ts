import { describe, expect, test } from "vitest";
import { SINKS_PER_SESSION_MAX } from "../../src/protocol/limits.ts";
import { ControlClient } from "../coordinator/control-client.ts";
import { clientOf, coordinatorOf } from "../coordinator/coordinator-fixture.ts";

/** Far beyond the limit. Ten thousand were tried, too, with the same result; they take a minute or two. */
const GUESTS = 600;
const AT_ONCE = 50;
const FLOOD_MS = 300_000;

/** An honest pair in a session of its own gets to its start. */
async function expectService(coordinator: { readonly port: number }): Promise<void> {
  using source = await ControlClient.connect(coordinator.port);
  using sink = await ControlClient.connect(coordinator.port);
  await sink.enter("sink", { session: "honest" });
  await source.enter("source", { session: "honest" });
  await sink.expect("start");
}

describe("a coordinator", () => {
  test("lets in no more sinks than the limit of thousands that register, and serves others", {
    timeout: FLOOD_MS,
  }, async () => {
    const coordinator = await coordinatorOf();
    const answers: Record<string, number> = {};
    const inside: ControlClient[] = [];
    let next = 0;
    async function register(): Promise<void> {
      while (next < GUESTS) {
        next += 1;
        const client = await ControlClient.connect(coordinator.port);
        client.hello("sink", { session: "flood", label: `guest${next}` });
        const answer = await client.next();
        answers[answer.type] = (answers[answer.type] ?? 0) + 1;
        if (answer.type === "welcome") {
          client.ready();
          inside.push(client);
        } else expect(await client.closed).toBe(1008);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, register));
    expect(answers).toEqual({ welcome: SINKS_PER_SESSION_MAX, refused: GUESTS - SINKS_PER_SESSION_MAX });
    await expectService(coordinator);
    for (const client of inside) client[Symbol.dispose]();
  });

  test.each([
    ["a prototype", '{"__proto__":{"type":"hello"},"constructor":{"prototype":{"type":"hello"}}}'],
    ["a prototype beside what is asked for", '{"type":"hello","__proto__":{"role":"source"},"version":5}'],
    ["arrays in arrays", "[".repeat(100_000)],
    ["objects in objects", '{"a":'.repeat(20_000)],
    ["numbers that are none", '{"type":"hello","version":1e999}'],
    ["a session that is a path", '{"type":"hello","version":5,"role":"sink","session":"../../etc"}'],
  ])("answers %s with a refusal, and serves others", async (_, said) => {
    const coordinator = await coordinatorOf();
    const client = await clientOf(coordinator);
    client.raw(said);
    const { code } = await client.expect("refused");
    expect(["damaged", "protocol-version"]).toContain(code);
    expect(await client.closed).toBe(1008);
    expect(Object.keys(Object.prototype)).toEqual([]);
    await expectService(coordinator);
  });

  test("tells the others why a member was turned away in words that each of them takes, whatever stood in its message", async () => {
    const coordinator = await coordinatorOf();
    using sink = await clientOf(coordinator);
    using source = await clientOf(coordinator);
    await sink.enter("sink");
    await source.enter("source");
    await source.expect("sinks");
    await source.expect("start");
    await sink.expect("start");
    const summary = { result: "complete", files: 0, directories: 0, symlinks: 0, hardlinks: 0, specials: 0 };
    const notCarried = { [`\u001b[2J${"x".repeat(100_000)}`]: 1 };
    sink.raw(JSON.stringify({ type: "finished", summary: { ...summary, notCarried } }));
    const { reason } = await sink.expect("refused");
    expect(reason).toMatch(/notCarried/);
    expect([reason.length <= 2000, reason.includes("\u001b")]).toEqual([true, false]);
    expect(await source.expect("left")).toMatchObject({ code: "damaged", reason });
  });
});
