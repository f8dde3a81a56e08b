import { expect, test } from "vitest";
import { openStore, type Store } from "../../../src/coordinator/history/store.ts";
import type { Coordinator } from "../../../src/coordinator/open-coordinator.ts";
import { DESERTED_KEPT_MS } from "../../../src/coordinator/session/deadlines.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { encodeControl, type Hello } from "../../../src/protocol/messages/control.ts";
import { subjectsOf, upSubject } from "../../../src/protocol/subjects.ts";
import { connectTransport } from "../../../src/transport/connect.ts";
import type { ControlClient } from "../control-client.ts";
import { clientOf, coordinatorOf, EventReader, stateFolder } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";
import { provenOutcome, summaryOf } from "./slot-driver.ts";

const SOURCE = "50".repeat(32);
const SINK = "51".repeat(32);

/** A session that runs from one source to one sink. */
async function sessionOf(coordinator: Coordinator, options: Partial<Hello> = {}) {
  const [source, sink] = [await clientOf(coordinator), await clientOf(coordinator)];
  const sinkWelcome = await sink.enter("sink", { seed: SINK, ...options });
  const sourceWelcome = await source.enter("source", { seed: SOURCE });
  await source.expect("sinks");
  for (const client of [source, sink]) expect(await client.expect("start")).toMatchObject({ epoch: 1, late: false });
  const { sessionId, epoch } = sinkWelcome;
  return { source, sink, sourceWelcome, sinkWelcome, back: { sessionId, epoch } };
}

function finish(source: ControlClient, sink: { readonly id: string; readonly name: string }): void {
  source.raw(encodeControl({ type: "finished", summary: summaryOf([provenOutcome(sink)]) }));
}

test("a sink whose link breaks goes on as itself, with its ticket", async () => {
  const coordinator = await coordinatorOf();
  const { source, sink, sinkWelcome, back } = await sessionOf(coordinator);
  sink[Symbol.dispose]();
  expect(await source.expect("left")).toMatchObject({ role: "sink", code: "sink-lost" });
  const again = await clientOf(coordinator);
  const { member, transport } = sinkWelcome;
  expect(await again.enter("sink", { seed: SINK, back })).toMatchObject({
    ...back,
    member,
    transport,
    rejoined: true,
  });
  expect(await source.expect("joined")).toMatchObject({ member, restarted: false });
  finish(source, member);
  expect(await again.expect("ended")).toMatchObject({ mine: { outcome: "proven" } });
});

test("a process that says back replaces its own lost link at once, though that one still answers", async () => {
  const coordinator = await coordinatorOf();
  const { source, sink, back } = await sessionOf(coordinator);
  const again = await clientOf(coordinator);
  expect(await again.enter("sink", { seed: SINK, back })).toMatchObject({ rejoined: true });
  expect(await sink.expect("refused")).toMatchObject({ code: "superseded" });
  expect(await source.expect("left")).toMatchObject({ code: "sink-lost" });
  expect(await source.expect("joined")).toMatchObject({ restarted: false });
  // What the old connection does when it closes is nothing of the new one's.
  await sink.closed;
  const third = await clientOf(coordinator);
  third.hello("sink", { seed: SINK });
  await third.expect("hold");
  expect(await third.expect("refused")).toMatchObject({ code: "refused" });
});

test("a source that was started again takes the session over, and its old process is superseded", async () => {
  const coordinator = await coordinatorOf();
  const { source, sink, sourceWelcome, back } = await sessionOf(coordinator);
  source[Symbol.dispose]();
  expect(await sink.expect("left")).toMatchObject({ role: "source" });
  const stranger = await clientOf(coordinator);
  stranger.hello("source", {});
  expect(await stranger.expect("refused")).toMatchObject({ code: "session-busy" });
  const again = await clientOf(coordinator);
  const welcome = await again.enter("source", { seed: SOURCE });
  expect(welcome).toMatchObject({ sessionId: back.sessionId, epoch: 2, member: sourceWelcome.member, rejoined: false });
  await again.expect("sinks");
  for (const client of [again, sink]) expect(await client.expect("start")).toMatchObject({ epoch: 2, late: false });
  const old = await clientOf(coordinator);
  old.hello("source", { seed: SOURCE, back });
  expect(await old.expect("refused")).toMatchObject({ code: "superseded" });
  again.raw('{"type":"leave","code":"cancelled","reason":"Stopped twice"}');
  await sink.expect("left");
  expect(await sink.expect("ended")).toMatchObject({ code: "cancelled", reason: "Stopped twice" });
});

test("a source that was taken over is superseded also when the coordinator was started again before the new one began", async () => {
  const stateDir = await stateFolder();
  const first = await coordinatorOf({ stateDir });
  const { source, sink, sourceWelcome, sinkWelcome, back } = await sessionOf(first);
  for (const client of [source, sink]) client[Symbol.dispose]();
  const takingOver = await clientOf(first);
  // Its sink is not there, so it waits at epoch 2.
  expect(await takingOver.enter("source", { seed: SOURCE })).toMatchObject({ epoch: 2, rejoined: false });
  await takingOver.expect("sinks");
  await first.close();
  const coordinator = await coordinatorOf({ stateDir });
  const old = await clientOf(coordinator);
  old.hello("source", { seed: SOURCE, back });
  expect(await old.expect("refused")).toMatchObject({ code: "superseded" });
  const stranger = await clientOf(coordinator);
  stranger.hello("source", {});
  expect(await stranger.expect("refused")).toMatchObject({ code: "session-busy" });
  const [again, sinkAgain] = [await clientOf(coordinator), await clientOf(coordinator)];
  const welcome = await again.enter("source", { seed: SOURCE });
  expect(welcome).toMatchObject({ sessionId: back.sessionId, epoch: 2, member: sourceWelcome.member });
  await again.expect("sinks");
  const sinkAgainWelcome = await sinkAgain.enter("sink", { seed: SINK, back });
  expect(sinkAgainWelcome).toMatchObject({ epoch: 2, member: sinkWelcome.member, rejoined: false });
  for (const client of [sinkAgain, again]) {
    let message = await client.next();
    while (message.type !== "start") message = await client.next();
    expect(message).toMatchObject({ epoch: 2, late: false });
  }
});

test("--cancel from another process of the source ends the session for all", async () => {
  const coordinator = await coordinatorOf();
  const { source, sink } = await sessionOf(coordinator);
  const [canceller, late] = [await clientOf(coordinator), await clientOf(coordinator)];
  canceller.hello("source", { seed: SOURCE, cancel: true });
  for (const client of [canceller, source, sink]) {
    expect(await client.expect("ended")).toMatchObject({ code: "cancelled" });
    expect(await client.closed).toBe(1000);
  }
  late.hello("source", { seed: SOURCE, cancel: true });
  expect(await late.expect("refused")).toMatchObject({ reason: expect.stringContaining("cannot cancel session") });
});

test("a source that let go of its session may still end it for all, but not once the same source has taken it over", async () => {
  const coordinator = await coordinatorOf();
  const { source, sink, back } = await sessionOf(coordinator);
  source.raw('{"type":"leave","code":"interrupted","reason":"Stopped"}');
  expect(await sink.expect("left")).toMatchObject({ role: "source", code: "interrupted" });
  const again = await clientOf(coordinator);
  expect(await again.enter("source", { seed: SOURCE })).toMatchObject({ epoch: 2 });
  const [late, canceller] = [await clientOf(coordinator), await clientOf(coordinator)];
  late.hello("source", { seed: SOURCE, cancel: true, back });
  expect(await late.expect("refused")).toMatchObject({ code: "superseded" });
  await again.expect("sinks");
  for (const client of [again, sink]) expect(await client.expect("start")).toMatchObject({ epoch: 2 });
  again.raw('{"type":"leave","code":"interrupted","reason":"Stopped"}');
  await sink.expect("left");
  canceller.hello("source", { seed: SOURCE, cancel: true, back: { ...back, epoch: 2 } });
  for (const client of [canceller, sink]) expect(await client.expect("ended")).toMatchObject({ code: "cancelled" });
});

test.each([false, true])("who comes back after the end hears how it ended; stays: %s", async (stay) => {
  const coordinator = await coordinatorOf();
  const { source, sink, sinkWelcome, sourceWelcome, back } = await sessionOf(coordinator);
  sink[Symbol.dispose]();
  await source.expect("left");
  finish(source, sinkWelcome.member);
  await source.expect("ended");
  const [sinkAgain, sourceAgain] = [await clientOf(coordinator), await clientOf(coordinator)];
  const welcome = await sinkAgain.enter("sink", { seed: SINK, back, stay });
  expect(welcome).toMatchObject({ ...back, rejoined: true, member: sinkWelcome.member });
  expect(await sinkAgain.expect("ended")).toMatchObject({ mine: { outcome: "proven" } });
  if (stay) expect((await sinkAgain.expect("welcome")).sessionId).not.toBe(back.sessionId);
  else expect(await sinkAgain.closed).toBe(1000);
  expect(await sourceAgain.enter("source", { seed: SOURCE, back })).toMatchObject({
    rejoined: true,
    member: sourceWelcome.member,
  });
  expect(await sourceAgain.expect("ended")).toMatchObject({ summary: { result: "complete" } });
});

test("the ticket of a member that has left stays void when the coordinator is started again", async () => {
  const stateDir = await stateFolder();
  const first = await coordinatorOf({ stateDir });
  const { source, sink, sinkWelcome } = await sessionOf(first);
  sink.raw('{"type":"leave","code":"disk-full","reason":"No space is left"}');
  await source.expect("left");
  await first.close();
  const coordinator = await coordinatorOf({ stateDir });
  const { transport } = sinkWelcome;
  if (transport.kind !== "embedded") throw new Error("want the embedded relay");
  const { signal } = new AbortController();
  const target = { kind: "embedded", host: "127.0.0.1", port: coordinator.port, ticket: transport.ticket } as const;
  await expect(connectTransport(target, { clientName: "test", clock: systemClock, signal })).rejects.toThrow(/ticket/i);
});

test("a session goes on after its coordinator was killed: members, epoch, tickets, and nothing of who waited", async () => {
  const stateDir = await stateFolder();
  const first = await coordinatorOf({ stateDir });
  const { sinkWelcome, sourceWelcome, back } = await sessionOf(first);
  const waiting = await (await clientOf(first)).enter("sink", { session: "other" });
  // No member is told an end, and nothing is written when it closes: to the state, this is a kill.
  await first.close();
  const coordinator = await coordinatorOf({ stateDir });
  const events = new EventReader(coordinator);
  const shown = await events.until("session");
  expect(shown.view).toMatchObject({ sessionId: back.sessionId, state: "paused", sinks: [{ state: "away" }] });
  const { transport } = sinkWelcome;
  if (transport.kind !== "embedded") throw new Error("want the embedded relay");
  const { signal } = new AbortController();
  const target = { kind: "embedded", host: "127.0.0.1", port: coordinator.port, ticket: transport.ticket } as const;
  const relay = await connectTransport(target, { clientName: "test", clock: systemClock, signal });
  await relay.publish(upSubject(subjectsOf(back.sessionId), sinkWelcome.member.id), Buffer.from("x"), { signal });
  await relay.close();

  const [source, sink, other] = [await clientOf(coordinator), await clientOf(coordinator), await clientOf(coordinator)];
  const sinkBack = await sink.enter("sink", { seed: SINK, back });
  expect(sinkBack).toMatchObject({ ...back, member: sinkWelcome.member, transport, rejoined: true });
  expect(await sink.expect("left")).toMatchObject({ role: "source", code: "coordinator-lost" });
  const sourceBack = await source.enter("source", { seed: SOURCE, back });
  expect(sourceBack).toMatchObject({ ...back, member: sourceWelcome.member, rejoined: true });
  expect(await source.expect("joined")).toMatchObject({ member: sinkWelcome.member, restarted: false });
  expect((await other.enter("sink", { session: "other" })).sessionId).not.toBe(waiting.sessionId);
  finish(source, sinkWelcome.member);
  expect(await sink.expect("ended")).toMatchObject({ mine: { outcome: "proven" } });
  await coordinator.close();
  using store: Store = await openStore(stateDir, new Date());
  expect(store.sessions(9)).toMatchObject([{ id: back.sessionId, state: "ended", result: "complete" }]);
});

test("a restored session that nobody comes back to ends as interrupted after a while", async () => {
  const stateDir = await stateFolder();
  const first = await coordinatorOf({ stateDir });
  const { back } = await sessionOf(first);
  await first.close();
  const clock = new ManualClock();
  const coordinator = await coordinatorOf({ stateDir, clock });
  const events = new EventReader(coordinator);
  clock.advance(DESERTED_KEPT_MS - 20_000);
  const client = await clientOf(coordinator);
  client.hello("source", { seed: "52".repeat(32) });
  expect(await client.expect("refused")).toMatchObject({ code: "session-busy" });
  clock.advance(20_000);
  expect(await events.until("warning")).toMatchObject({ code: "interrupted" });
  await coordinator.close();
  using store: Store = await openStore(stateDir, new Date());
  expect(store.sessions(9)).toMatchObject([{ id: back.sessionId, state: "ended", result: "interrupted" }]);
});
