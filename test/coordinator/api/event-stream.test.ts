import { once } from "node:events";
import { request } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { readOperatorPass } from "../../../src/coordinator/access/local-operator.ts";
import { EventFeed, type FeedReader } from "../../../src/coordinator/api/event-feed.ts";
import { EventLog } from "../../../src/coordinator/views/event-log.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { EventStream } from "../../helpers/event-stream.ts";
import { clientOf, coordinatorOf, stateFolder } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";

async function streamOf(port: number, headers = {}): Promise<EventStream> {
  const stream = await EventStream.open(port, headers);
  onTestFinished(() => stream[Symbol.dispose]());
  return stream;
}

test("the stream begins with what there is, and goes on with what happens", async () => {
  const coordinator = await coordinatorOf();
  const early = await clientOf(coordinator);
  await early.enter("sink", { session: "photos" });
  await expect.poll(() => coordinator.sessions()[0]?.sinks.length).toBe(1);
  const stream = await streamOf(coordinator.port);
  expect(stream.response.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
  });
  const { event } = await stream.next();
  expect(event).toMatchObject({ type: "snapshot", sessions: [{ session: "photos", sinks: [{ name: "alpha" }] }] });
  expect(stream.comments).toEqual(["retry: 2000"]);
  const late = await clientOf(coordinator);
  await late.enter("sink", { session: "nightly" });
  const registered = await stream.until(({ type }) => type === "registered");
  expect(registered.event).toMatchObject({ session: "nightly", role: "sink", name: "alpha", address: "127.0.0.1" });
});

test("who comes back with its last id gets what it missed, of each session the latest view", async () => {
  const coordinator = await coordinatorOf();
  const first = await streamOf(coordinator.port);
  const { id } = await first.next();
  first[Symbol.dispose]();
  const [one, two] = [await clientOf(coordinator), await clientOf(coordinator)];
  await one.enter("sink", { session: "photos" });
  await two.enter("sink", { session: "photos" });
  await expect.poll(() => coordinator.sessions()[0]?.sinks.length).toBe(2);
  const again = await streamOf(coordinator.port, { "last-event-id": id });
  const missed = [await again.next(), await again.next(), await again.next()];
  expect(missed.map(({ event }) => event.type).sort()).toEqual(["registered", "registered", "session"]);
  const numbers = missed.map((each) => Number(each.id.split("-")[1]));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  // Nothing is told twice.
  const after = await streamOf(coordinator.port, { "last-event-id": missed.at(-1)?.id });
  one.socket.close();
  expect((await after.next()).event.type).not.toBe("snapshot");
});

test("an id of another time, or none that there can be, gets a snapshot", async () => {
  const { port } = await coordinatorOf();
  for (const id of ["0badc0de-1", "", "x", "0badc0de-99999999999999999999"]) {
    const stream = await streamOf(port, { "last-event-id": id });
    expect((await stream.next()).event.type, id).toBe("snapshot");
  }
});

function feedOf({ isGuarded = true } = {}) {
  const clock = new ManualClock();
  const log = new EventLog();
  const feed = new EventFeed({ log, sessions: () => [], isGuarded, clock, random: systemRandom });
  /** All that somebody gets who comes with this id. */
  const since = (id: string | undefined): readonly string[] => {
    using reader = feed.follow(id, () => undefined);
    return messagesOf(reader);
  };
  return { clock, log, feed, since };
}

function messagesOf(reader: FeedReader): readonly string[] {
  let text = "";
  for (let piece = reader.take(); piece !== ""; piece = reader.take()) text += piece;
  return text.split(/(?<=\n\n)/).filter((message) => message !== "");
}

const idOf = (text = "") => /^id: (.*)$/m.exec(text)?.[1] ?? "";
const snapshot = [expect.stringContaining('"snapshot"')];

test("what is kept is bounded, and nothing is kept long after the last reader", () => {
  const { clock, log, feed, since } = feedOf();
  let woken = 0;
  const reader = feed.follow(undefined, () => {
    woken += 1;
  });
  const [start] = messagesOf(reader);
  for (let number = 1; number <= 1000; number += 1) log.emit({ type: "warning", code: "test", message: `${number}` });
  const heard = messagesOf(reader);
  expect([woken, heard.length]).toEqual([1000, 1000]);
  expect(since(idOf(heard[0]))).toEqual(heard.slice(1));
  expect(since(idOf(start))).toEqual(heard);
  log.emit({ type: "warning", code: "test", message: "1001" });
  expect(since(idOf(start))).toEqual(snapshot);
  // Large ones make more place.
  log.emit({ type: "warning", code: "test", message: "x".repeat(8 * 1024 * 1024) });
  expect(since(idOf(heard[999]))).toEqual(snapshot);
  // One that has not taken what is gone by now gets all anew, too.
  expect(messagesOf(reader)).toEqual(snapshot);
  reader[Symbol.dispose]();
  log.emit({ type: "reloaded" });
  const [last] = since(undefined);
  log.emit({ type: "reloaded" });
  expect(since(idOf(last))).toEqual([expect.stringContaining('"reloaded"')]);
  clock.advance(60_001);
  log.emit({ type: "reloaded" });
  expect(since(idOf(last))).toEqual(snapshot);
});

test("a reader gets of each session the latest view, four times a second, and all else at once with the views before it", () => {
  const { clock, log, feed } = feedOf();
  let woken = 0;
  using reader = feed.follow(undefined, () => {
    woken += 1;
  });
  expect(messagesOf(reader)).toEqual(snapshot);
  const show = (sessionId: string, epoch: number) =>
    log.emit({ type: "session", view: { session: "photos", sessionId, epoch, state: "running", sinks: [] } });
  for (let epoch = 1; epoch <= 20; epoch += 1) show(epoch % 2 === 0 ? "even" : "odd", epoch);
  expect(woken).toBe(0);
  clock.advance(250);
  expect(woken).toBe(1);
  const epochsOf = (messages: readonly string[]) => messages.map((message) => /"epoch":(\d+)/.exec(message)?.[1]);
  expect(epochsOf(messagesOf(reader))).toEqual(["19", "20"]);
  show("odd", 21);
  log.emit({ type: "reloaded" });
  expect(woken).toBe(2);
  expect(epochsOf(messagesOf(reader))).toEqual(["21", undefined]);
  clock.advance(1000);
  expect(woken).toBe(2);
});

test("what is much comes in pieces, each with whole events, and nothing twice", () => {
  const { log, feed } = feedOf();
  using reader = feed.follow(undefined, () => undefined);
  messagesOf(reader);
  for (let number = 1; number <= 100; number += 1)
    log.emit({ type: "warning", code: "test", message: "x".repeat(4000) });
  const pieces: string[] = [];
  for (let piece = reader.take(); piece !== ""; piece = reader.take()) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(5);
  expect(pieces.every((piece) => piece.startsWith("id: ") && piece.endsWith("\n\n"))).toBe(true);
  expect(pieces.join("").split("\n\n")).toHaveLength(101);
});

test.each([true, false])("what programs print is for readers with a token alone (guarded: %s)", (isGuarded) => {
  const { log, feed } = feedOf({ isGuarded });
  using reader = feed.follow(undefined, () => undefined);
  expect(messagesOf(reader)).toEqual(snapshot);
  log.emit({ type: "told", via: "command", id: "msg_1", about: "ended", session: "photos", output: "sent to bob" });
  log.emit({ type: "warning", code: "notice-failed", message: "it failed", output: "no mail for bob" });
  const events = messagesOf(reader).map((text) => JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? ""));
  expect(events).toMatchObject([
    { type: "told", id: "msg_1" },
    { type: "warning", message: "it failed" },
  ]);
  expect(events.map(({ output }) => output)).toEqual(
    isGuarded ? ["sent to bob", "no mail for bob"] : [undefined, undefined],
  );
});

test("64 may read at a time, and who is cut off makes place", async () => {
  const { port } = await coordinatorOf();
  const streams = await Promise.all(Array.from({ length: 64 }, () => streamOf(port)));
  await Promise.all(streams.map((stream) => stream.next()));
  const refused = await streamOf(port);
  expect(refused.response.statusCode).toBe(429);
  streams[0]?.[Symbol.dispose]();
  await expect.poll(async () => (await streamOf(port)).response.statusCode).toBe(200);
});

test("the stream ends with the token that opened it", async () => {
  const clock = new ManualClock();
  const stateDir = await stateFolder();
  const { port } = await coordinatorOf({ requireToken: true, stateDir, clock });
  const ask = async (method: string, path: string, token: string, body?: object) => {
    const headers = {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    // The certificate is the coordinator's own; who serves it is not what is tested here.
    const asked = request({ host: "127.0.0.1", port, method, path, headers, rejectUnauthorized: false });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(asked, "response");
    return response;
  };
  expect((await ask("GET", "/api/v1/events", "")).statusCode).toBe(401);
  expect((await ask("GET", "/api/v1/history", "")).statusCode).toBe(401);
  expect((await ask("GET", "/api/v1/openapi.json", "")).statusCode).toBe(200);
  const { token: admin } = readOperatorPass(stateDir);
  const made = await ask("POST", "/api/v1/tokens", admin, { role: "observer" });
  const { id, token } = JSON.parse(String(await made.setEncoding("utf8").toArray()));
  const stream = await ask("GET", "/api/v1/events", token);
  expect(stream.statusCode).toBe(200);
  const ended = once(stream.resume(), "end");
  clock.advance(15_000);
  await ask("DELETE", `/api/v1/tokens/${id}`, admin);
  clock.advance(15_000);
  await ended;
  const sink = await ask("POST", "/api/v1/tokens", admin, { role: "sink" });
  const { token: sinkToken } = JSON.parse(String(await sink.setEncoding("utf8").toArray()));
  expect((await ask("GET", "/api/v1/events", sinkToken)).statusCode).toBe(403);
});
