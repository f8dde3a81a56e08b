import { describe, expect, test } from "vitest";
import { BoundedQueue } from "../../src/lib/bounded-queue.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import type { ControlLink } from "../../src/member/control-link.ts";
import { Inbox } from "../../src/member/inbox.ts";
import type { CoordinatorMessage } from "../../src/protocol/control.ts";

const member = { id: "aaaaaa", name: "alpha" };
const sinks: CoordinatorMessage = { type: "sinks", needed: 1, sinks: [member] };
const welcome: CoordinatorMessage = {
  type: "welcome",
  version: 1,
  member,
  session: "default",
  sessionId: "abcdefghijkl",
  epoch: 1,
  transport: { kind: "embedded", ticket: "t".repeat(16) },
  warnings: [],
  underWay: false,
  rejoined: false,
};

function begin() {
  const queue = new BoundedQueue<CoordinatorMessage>({ limit: 100, sizeOf: () => 1 });
  const closed = Promise.withResolvers<FanfoldError>();
  const link: ControlLink = {
    send: () => undefined,
    messages: queue,
    closed: closed.promise,
    close: () => Promise.resolve(),
  };
  const abort = new AbortController();
  return { queue, closed, abort, inbox: new Inbox(link, abort.signal) };
}

describe("Inbox", () => {
  test("gives one message after another, and skips to a welcome", async () => {
    const { queue, inbox } = begin();
    for (const message of [sinks, sinks, welcome, sinks]) queue.push(message);
    expect(await inbox.next()).toEqual(sinks);
    expect(await inbox.welcome()).toEqual(welcome);
    expect(await inbox.next()).toEqual(sinks);
  });

  test.each([
    ["name-taken", "name-taken"],
    ["no-such-code", "refused"],
    ["constructor", "refused"],
  ])("throws a refusal %j with the code %j", async (code, expected) => {
    const { queue, inbox } = begin();
    queue.push({ type: "refused", code, reason: "because" });
    await expect(inbox.next()).rejects.toMatchObject({ code: expected, message: "because" });
  });

  test("throws why the link ended, after what had come", async () => {
    const { queue, closed, inbox } = begin();
    queue.push(sinks);
    queue.end();
    closed.resolve(new FanfoldError("coordinator-lost", "gone"));
    expect(await inbox.next()).toEqual(sinks);
    await expect(inbox.next()).rejects.toMatchObject({ code: "coordinator-lost" });
  });

  test("throws the reason of the signal, its own or that of one wait, and loses no message by that", async () => {
    const { queue, abort, inbox } = begin();
    const once = new AbortController();
    const waiting = inbox.next(once.signal);
    once.abort(new FanfoldError("wait-timeout", "long enough"));
    await expect(waiting).rejects.toMatchObject({ code: "wait-timeout" });
    const other = inbox.next();
    abort.abort(new FanfoldError("interrupted", "stop"));
    await expect(other).rejects.toMatchObject({ code: "interrupted" });
    queue.push(sinks);
  });
});
