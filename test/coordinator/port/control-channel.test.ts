import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { LET_GO_WITHIN_MS } from "../../../src/coordinator/session/same-identity.ts";
import {
  CONTROL_BYTES_MAX,
  PROTOCOL_VERSION,
  SESSIONS_MAX,
  SESSIONS_PER_MEMBER_MAX,
} from "../../../src/protocol/limits.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { clientOf, coordinatorOf } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";

describe("on the control channel, the coordinator", () => {
  test.each<[string, string | Buffer, string]>([
    ["text that is not JSON", "garbage", "damaged"],
    ["JSON that is no message", '{"type":"nonsense"}', "damaged"],
    ["binary data", Buffer.from([1, 2, 3]), "damaged"],
    ["a ready before its hello", '{"type":"ready"}', "damaged"],
    ["a hello of another version", '{"type":"hello","version":99,"shape":"unknown"}', "protocol-version"],
  ])("refuses %s", async (_, data, code) => {
    const coordinator = await coordinatorOf();
    const client = await clientOf(coordinator);
    client.raw(data);
    expect((await client.expect("refused")).code).toBe(code);
    expect(await client.closed).toBe(1008);
  });

  test("names both versions to a client of another one", async () => {
    const client = await clientOf(await coordinatorOf());
    client.hello("sink", { version: 99 });
    const { code, reason } = await client.expect("refused");
    expect(code).toBe("protocol-version");
    expect(reason).toMatch(new RegExp(`99.*${PROTOCOL_VERSION}`));
  });

  test("closes on a message larger than the limit, and others are not harmed", async () => {
    const coordinator = await coordinatorOf();
    const [bad, good] = [await clientOf(coordinator), await clientOf(coordinator)];
    await good.enter("sink");
    bad.raw("x".repeat(CONTROL_BYTES_MAX + 1));
    expect(await bad.closed).toBe(1009);
    await bad.closed;
    const source = await clientOf(coordinator);
    await source.enter("source");
    await good.expect("start");
  });

  test("refuses a second hello", async () => {
    const client = await clientOf(await coordinatorOf());
    await client.enter("sink");
    client.hello("sink");
    expect((await client.expect("refused")).code).toBe("damaged");
  });

  test("refuses finished from a sink", async () => {
    const client = await clientOf(await coordinatorOf());
    await client.enter("sink");
    client.raw(
      JSON.stringify({
        type: "finished",
        summary: {
          result: "complete",
          files: 0,
          directories: 0,
          symlinks: 0,
          hardlinks: 0,
          specials: 0,
          notCarried: {},
          bytes: 0,
          bytesSent: 0,
          bytesSentAgain: 0,
          elapsedMs: 0,
          problemCount: 0,
          problems: [],
          sinks: [],
        },
      }),
    );
    expect(await client.expect("refused")).toMatchObject({
      code: "damaged",
      reason: expect.stringContaining("only the source"),
    });
  });

  test("refuses a client that sends without pause", async () => {
    const client = await clientOf(await coordinatorOf({ clock: new ManualClock() }));
    await client.enter("sink");
    for (let number = 0; number < 1000; number += 1) client.ready();
    expect(await client.expect("refused")).toMatchObject({ reason: expect.stringContaining("a second") });
  });

  test("reads no more than its hello of who has not proven who it is", async () => {
    const coordinator = await coordinatorOf({ clock: new ManualClock() });
    // So often that the next answer is held back.
    for (let number = 0; number < 5; number += 1) {
      const client = await clientOf(coordinator);
      client.hello("sink", { signature: "A".repeat(86) });
      expect((await client.expect("refused")).code).toBe("proof-refused");
    }
    const client = await clientOf(coordinator);
    client.hello("sink", { signature: "A".repeat(86) });
    client.ready();
    client.ready();
    expect(await client.expect("refused")).toMatchObject({
      code: "damaged",
      reason: expect.stringContaining("nothing more until it is answered"),
    });
  });

  test("lets one member have no more than 128 connections, and others come in", async () => {
    const port = await freePort();
    // Nobody gets any further before the broker is there.
    const coordinator = await coordinatorOf({ broker: `nats://127.0.0.1:${port}` });
    const seed = "ef".repeat(32);
    for (let number = 0; number < 2 * SESSIONS_MAX; number += 1) {
      const client = await clientOf(coordinator);
      client.hello("source", { session: `s${number}`, seed });
      await client.expect("hold");
    }
    const more = await clientOf(coordinator);
    more.hello("source", { session: "one-more", seed });
    expect(await more.expect("refused")).toMatchObject({
      code: "too-many",
      reason: expect.stringContaining("128 connections"),
    });
    const other = await clientOf(coordinator);
    other.hello("source", { session: "one-more" });
    await other.expect("hold");
  });

  test("refuses a client that says nothing after it connected", async () => {
    const clock = new ManualClock();
    const client = await clientOf(await coordinatorOf({ clock }));
    await clock.sleeping(10_000);
    clock.advance(9_999);
    clock.advance(1);
    expect(await client.expect("refused")).toMatchObject({ reason: expect.stringContaining("10 seconds") });
  });

  test("counts a client that answers no ping as lost", async () => {
    const clock = new ManualClock();
    const coordinator = await coordinatorOf({ clock });
    const [source, sink] = [await clientOf(coordinator), await clientOf(coordinator)];
    await source.enter("source", { destCount: 2 });
    await source.expect("sinks");
    await sink.enter("sink");
    expect((await source.expect("sinks")).sinks).toHaveLength(1);
    sink.socket.pause();
    for (let tick = 0; tick < 4; tick += 1) {
      const asked = once(source.socket, "ping");
      clock.advance(5000);
      await asked;
      // Answered after the answer to the coordinator's own ping was read.
      source.socket.ping();
      await once(source.socket, "pong");
    }
    expect((await source.expect("sinks")).sinks).toEqual([]);
  });

  test("opens no more sessions than the limit", async () => {
    const coordinator = await coordinatorOf();
    for (let number = 0; number < SESSIONS_MAX; number += 1) {
      await (await clientOf(coordinator)).enter("sink", { session: `s${number}` });
    }
    const one = await clientOf(coordinator);
    one.hello("sink", { session: "one-more" });
    expect(await one.expect("refused")).toMatchObject({
      code: "too-many",
      reason: expect.stringContaining(`${SESSIONS_MAX}`),
    });
  });

  test("lets no member open all sessions, and leaves room for the others", async () => {
    const coordinator = await coordinatorOf();
    const seed = "cd".repeat(32);
    for (let number = 0; number < SESSIONS_PER_MEMBER_MAX; number += 1)
      await (await clientOf(coordinator)).enter("source", { session: `s${number}`, seed });
    const more = await clientOf(coordinator);
    more.hello("source", { session: "one-more", seed });
    expect(await more.expect("refused")).toMatchObject({
      code: "too-many",
      reason: expect.stringContaining(`${SESSIONS_PER_MEMBER_MAX} sessions that this member opened`),
    });
    await (await clientOf(coordinator)).enter("sink", { session: "one-more" });
    await (await clientOf(coordinator)).enter("source", { session: "one-more", seed });
  });
});

describe("identity", () => {
  const secret = "ab".repeat(32);

  test("a name that was asked for and is taken is refused", async () => {
    const coordinator = await coordinatorOf();
    const [first, second] = [await clientOf(coordinator), await clientOf(coordinator)];
    await first.enter("sink", { label: "alpha", labelAsked: true });
    second.hello("sink", { label: "alpha", labelAsked: true });
    expect((await second.expect("refused")).code).toBe("name-taken");
  });

  test.each(["default", "another"])(
    "a copied sink identity is refused while the original is connected, also in session %s",
    async (session) => {
      const coordinator = await coordinatorOf();
      const [first, second] = [await clientOf(coordinator), await clientOf(coordinator)];
      await first.enter("sink", { seed: secret });
      second.hello("sink", { seed: secret, session });
      expect((await second.expect("hold")).code).toBe("session-busy");
      expect(await second.expect("refused")).toMatchObject({
        code: "refused",
        reason: expect.stringContaining(".fanfold"),
      });
      const source = await clientOf(coordinator);
      await source.enter("source");
      await first.expect("start");
    },
  );

  test("the same sink replaces its connection that is dead, and keeps the name it asked for", async () => {
    const clock = new ManualClock();
    const coordinator = await coordinatorOf({ clock });
    const [first, second] = [await clientOf(coordinator), await clientOf(coordinator)];
    await first.enter("sink", { seed: secret, label: "alpha", labelAsked: true });
    first.socket.pause();
    second.hello("sink", { seed: secret, label: "alpha", labelAsked: true });
    await clock.sleeping(2000);
    expect((await second.expect("hold")).reason).toContain("asked whether it still runs");
    clock.advance(2000);
    expect((await second.expect("welcome")).member.name).toBe("alpha");
    first.socket.resume();
    expect(await first.expect("refused")).toMatchObject({
      code: "superseded",
      reason: expect.stringContaining("it was started again"),
    });
  });

  test("the same source is refused when the one that is connected does not let go, but may serve two sessions", async () => {
    const clock = new ManualClock();
    const coordinator = await coordinatorOf({ clock });
    const [first, second, third] = [
      await clientOf(coordinator),
      await clientOf(coordinator),
      await clientOf(coordinator),
    ];
    await first.enter("source", { seed: secret });
    second.hello("source", { seed: secret });
    await clock.sleeping(LET_GO_WITHIN_MS);
    clock.advance(LET_GO_WITHIN_MS);
    expect(await second.expect("hold")).toMatchObject({ code: "session-busy", reason: expect.stringContaining("3 s") });
    expect((await second.expect("refused")).code).toBe("session-busy");
    await third.enter("source", { seed: secret, session: "another" });
  });

  test("the same source takes the place of one that lets go while it waits for that", async () => {
    const clock = new ManualClock();
    const coordinator = await coordinatorOf({ clock });
    const [first, second] = [await clientOf(coordinator), await clientOf(coordinator)];
    const { member } = await first.enter("source", { seed: secret });
    second.hello("source", { seed: secret });
    await clock.sleeping(LET_GO_WITHIN_MS);
    expect((await second.expect("hold")).code).toBe("session-busy");
    first.raw('{"type":"leave","code":"interrupted","reason":"Stopped"}');
    expect((await second.expect("welcome")).member.name).toBe(member.name);
  });
});
