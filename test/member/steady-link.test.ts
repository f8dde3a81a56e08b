import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import type { Hello } from "../../src/protocol/messages/control.ts";
import { sampleProgress, sampleSummary } from "../cli/terminal/sample-events.ts";
import { begin, type Connection, HELLO, introduced, member, welcome } from "./hand-coordinator.ts";

const summary = sampleSummary();

describe("SteadyLink", () => {
  test("says hello, and hands on what the coordinator says", async () => {
    const { link, accept, events } = begin();
    const connection = await accept();
    connection.says(welcome(), { type: "sinks", needed: 1, sinks: [member] });
    expect(await link.welcome()).toMatchObject({ type: "welcome" });
    expect(await link.next()).toMatchObject({ type: "sinks" });
    link.send({ type: "ready" });
    expect(connection.said).toEqual([introduced(), { type: "ready" }]);
    expect(events).toEqual([{ type: "connecting", address: "backup:7337", attempt: 1 }]);
    await link.close();
  });

  test("comes back after a connection that broke, tells so, and says hello with what runs by then", async () => {
    let back: Hello["back"];
    const { link, accept, refuse, events } = begin({
      hello: () => ({ ...HELLO, ...(back === undefined ? {} : { back }) }),
    });
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    back = { sessionId: "abcdefghijkl", epoch: 1 };
    first.breaks("cannot listen to the coordinator at backup:7337: connection closed (1012)");
    await refuse();
    await refuse();
    const second = await accept();
    second.says(welcome(true));
    expect(await link.next()).toMatchObject({ type: "welcome", rejoined: true });
    expect(second.said).toEqual([introduced({ back }), { type: "ready" }]);
    const reason = expect.stringContaining("refused");
    expect(events.slice(1)).toEqual([
      { type: "control", status: "lost", reason: expect.stringContaining("1012") },
      { type: "connecting", address: "backup:7337", attempt: 1, reason: expect.stringContaining("1012") },
      { type: "connecting", address: "backup:7337", attempt: 2, reason },
      { type: "connecting", address: "backup:7337", attempt: 3, reason },
      { type: "control", status: "back" },
    ]);
    await link.close();
  });

  test("waits longer from try to try, up to five seconds, and begins anew once it was welcomed", async () => {
    const { link, clock, accept, refuse } = begin();
    (await accept()).breaks("gone");
    const waits: number[] = [];
    for (let index = 0; index < 8; index += 1) {
      const sinceMs = clock.nowMs();
      await refuse();
      waits.push(clock.nowMs() - sinceMs);
    }
    expect(waits.slice(0, 3)).toEqual([200, 400, 800]);
    expect(waits.at(-1)).toBe(5_000);
    const connection = await accept();
    connection.says(welcome());
    await link.welcome();
    connection.breaks("gone");
    const sinceMs = clock.nowMs();
    await refuse();
    expect(clock.nowMs() - sinceMs).toBe(200);
    await link.close();
  });

  test("says `finished` and `leave` once it is back, and drops all else", async () => {
    const { link, accept, ofType } = begin();
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    first.breaks("gone");
    while (ofType("control").length === 0) await new Promise((resolve) => setImmediate(resolve));
    link.send({ type: "progress", progress: sampleProgress() });
    link.send({ type: "finished", summary });
    const left = link.leave(new FanfoldError("interrupted", "Stopped by SIGINT"));
    const second = await accept();
    second.says(welcome(true));
    await left;
    const leave = { type: "leave", code: "interrupted", reason: "Stopped by SIGINT" };
    expect(second.said).toEqual([introduced(), { type: "ready" }, { type: "finished", summary }, leave]);
    await link.close();
  });

  test("does not answer a welcome with what was meant for the one before", async () => {
    const { link, accept } = begin();
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    first.breaks("gone");
    const second = await accept();
    second.says(welcome());
    while (second.said.length === 0) await new Promise((resolve) => setImmediate(resolve));
    link.send({ type: "ready" });
    expect(second.said).toEqual([introduced()]);
    await link.welcome();
    link.send({ type: "ready" });
    expect(second.said).toEqual([introduced(), { type: "ready" }]);
    await link.close();
  });

  test("gives up a coordinator that was never there with what it found, one that was with `coordinator-lost`", async () => {
    const never = begin({ connectTimeoutMs: 0 });
    await never.refuse();
    await expect(never.link.next()).rejects.toMatchObject({ code: "coordinator-unreachable" });
    const once = begin({ connectTimeoutMs: 0, lostTimeoutMs: () => 60_000 });
    const connection = await once.accept();
    connection.says(welcome());
    await once.link.welcome();
    connection.breaks("gone");
    const next = once.link.next();
    const seen = expect(next).rejects.toMatchObject({
      code: "coordinator-lost",
      message: expect.stringMatching(/did not come back within 60 s: .*refused/),
    });
    let over = false;
    void next.catch(() => {
      over = true;
    });
    while (!over) {
      await Promise.race([once.refuse(), next.catch(() => undefined)]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await seen;
    expect(once.clock.nowMs()).toBe(60_000);
  });

  test.each([
    ["a refusal", (connection: Connection) => connection.says({ type: "refused", code: "superseded", reason: "old" })],
    ["damage", (connection: Connection) => connection.breaks("no JSON", "damaged")],
    [
      "the end of the session",
      (connection: Connection) => {
        connection.says({ type: "ended" });
        connection.breaks("bye");
      },
    ],
  ])("does not come back after %s", async (_what, end) => {
    const { link, accept, ofType } = begin();
    const connection = await accept();
    connection.says(welcome());
    end(connection);
    const told: string[] = [];
    const error = await (async () => {
      for (;;) told.push((await link.next()).type);
    })().catch((thrown: unknown) => FanfoldError.from(thrown));
    expect([error.code, told.at(-1)]).toEqual(
      {
        "a refusal": ["superseded", "welcome"],
        damage: ["damaged", "welcome"],
        "the end of the session": ["coordinator-lost", "ended"],
      }[_what],
    );
    expect(ofType("control")).toEqual([]);
  });

  test("something else at the port ends a first connection at once, and is retried after the coordinator was there", async () => {
    const wrong = begin();
    await wrong.refuse("not-a-coordinator");
    await expect(wrong.link.next()).rejects.toMatchObject({ code: "not-a-coordinator" });
    const { link, accept, refuse } = begin();
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    first.breaks("gone");
    await refuse("not-a-coordinator");
    (await accept()).says(welcome());
    expect(await link.welcome()).toMatchObject({ type: "welcome" });
    await link.close();
  });

  test("ends a wait by its signal and loses nothing; closing ends the tries", async () => {
    const { link, accept } = begin();
    const connection = await accept();
    const once = new AbortController();
    const waiting = link.next(once.signal);
    once.abort(new FanfoldError("wait-timeout", "long enough"));
    await expect(waiting).rejects.toMatchObject({ code: "wait-timeout" });
    connection.says(welcome());
    expect(await link.next()).toMatchObject({ type: "welcome" });
    connection.breaks("gone");
    await link.close();
    await expect(link.next()).rejects.toMatchObject({ code: "closed" });
  });

  test("breaks off the work that answers a welcome when another one comes, and disposes of what it made", async () => {
    const { link, accept, abort } = begin();
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    const made = Promise.withResolvers<void>();
    let disposed = false;
    const work = link.unlessWelcomed(abort.signal, async (signal) => {
      signal.addEventListener("abort", () => made.resolve());
      await made.promise;
      return {
        [Symbol.asyncDispose]: async () => {
          disposed = true;
        },
      };
    });
    first.breaks("gone");
    (await accept()).says(welcome());
    expect(await work).toMatchObject({ type: "welcome" });
    expect(disposed).toBe(true);
    const kept = { [Symbol.asyncDispose]: () => Promise.reject(new Error("it is in use")) };
    expect(await link.unlessWelcomed(abort.signal, () => Promise.resolve(kept))).toBe(kept);
    await link.close();
  });

  test("breaks off the work when the link ends, and disposes of what it made", async () => {
    const { link, accept, abort } = begin();
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    let disposed = false;
    const work = link.unlessWelcomed(abort.signal, async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return {
        [Symbol.asyncDispose]: async () => {
          disposed = true;
        },
      };
    });
    first.says({ type: "refused", code: "superseded", reason: "It was started again" });
    await expect(work).rejects.toMatchObject({ code: "superseded" });
    expect(disposed).toBe(true);
    await link.close();
  });

  test("does not even begin the work when another welcome waits already", async () => {
    const { link, accept, abort, ofType } = begin();
    const first = await accept();
    first.says(welcome());
    await link.welcome();
    first.breaks("gone");
    (await accept()).says(welcome());
    while (ofType("control").length < 2) await new Promise((resolve) => setImmediate(resolve));
    const work = () => Promise.reject(new Error("it was begun"));
    expect(await link.unlessWelcomed(abort.signal, work)).toMatchObject({ type: "welcome" });
    await link.close();
  });
});
