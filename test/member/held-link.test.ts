import { expect, test } from "vitest";
import { begin, welcome } from "./hand-coordinator.ts";

/* What a SteadyLink makes of a coordinator that is there, and does not let it in yet [P-1.2]. */

test("tells why it is not let in yet, each reason once, and is let in after it", async () => {
  const { link, accept, events } = begin({ connectTimeoutMs: 30_000 });
  const connection = await accept();
  for (const reason of ["no broker", "no broker", "still no broker"])
    connection.says({ type: "hold", code: "broker-unreachable", reason });
  connection.says(welcome());
  expect(await link.next()).toMatchObject({ type: "welcome" });
  const held = { type: "held", address: "backup:7337", code: "broker-unreachable" };
  expect(events.slice(1)).toEqual([
    { ...held, reason: "no broker" },
    { ...held, reason: "still no broker" },
  ]);
  await link.close();
});

test("a member that was in a session and is not let in again has lost its coordinator, whatever the coordinator waits for", async () => {
  const { link, clock, accept, ofType } = begin({ connectTimeoutMs: 1_000, lostTimeoutMs: () => 60_000 });
  const first = await accept();
  first.says(welcome());
  await link.welcome();
  first.breaks("gone");
  const second = await accept();
  second.says({ type: "hold", code: "broker-unreachable", reason: "no broker" });
  while (ofType("held").length === 0) await new Promise((resolve) => setImmediate(resolve));
  const next = link.next();
  clock.advance(60_000);
  const message = expect.stringMatching(/did not come back within 60 s: .*no broker$/);
  await expect(next).rejects.toMatchObject({ code: "coordinator-lost", message });
});

test("what is said when the time is over counts no more", async () => {
  const { link, clock, accept, ofType } = begin({ connectTimeoutMs: 1_000 });
  const connection = await accept();
  while (connection.said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const next = link.next();
  connection.link.close = async () => connection.says(welcome());
  clock.advance(1_000);
  await expect(next).rejects.toMatchObject({ code: "coordinator-unreachable" });
  expect(ofType("control")).toEqual([]);
});

test.each([
  ["was let in", [welcome()], 1],
  ["again and again", [], 10_001],
] as const)("a coordinator that holds one who %s is damaged", async (_what, before, times) => {
  const { link, accept } = begin();
  const connection = await accept();
  const hold = { type: "hold", code: "session-busy", reason: "wait" } as const;
  connection.says(...before);
  for (let said = 0; said < times; said += 1) {
    connection.says(hold);
    if (said % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const end = async () => {
    for (;;) await link.next();
  };
  await expect(end()).rejects.toMatchObject({ code: "damaged" });
});

test.each([
  ["what the coordinator waits for", { code: "broker-unreachable", message: /within 30 s: no broker$/ }],
  ["its silence", { code: "coordinator-unreachable", message: /within 30 s, and does not say why$/ }],
])("gives up a coordinator that does not let it in within the time, naming %s", async (what, { code, message }) => {
  const { link, clock, accept, ofType } = begin({ connectTimeoutMs: 30_000 });
  const connection = await accept();
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  if (what === "its silence") while (connection.said.length === 0) await turn();
  else connection.says({ type: "hold", code: "broker-unreachable", reason: "no broker" });
  while (what !== "its silence" && ofType("held").length === 0) await turn();
  const next = link.next();
  let isOver = false;
  next.catch(() => {
    isOver = true;
  });
  clock.advance(29_999);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  expect(isOver).toBe(false);
  clock.advance(1);
  await expect(next).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
