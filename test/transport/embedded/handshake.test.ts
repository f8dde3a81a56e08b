import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { STEPS_MS } from "../../../src/coordinator/port/strangers.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { connectEmbedded } from "../../../src/transport/embedded/client.ts";
import {
  ClientHandshake,
  GREETING,
  NONCE_BYTES,
  parseTicket,
  RelayHandshake,
} from "../../../src/transport/embedded/handshake.ts";
import { NEVER } from "../../contract/contract-tools.ts";
import { ManualClock } from "../../coordinator/manual-clock.ts";
import { MAY_ALL, type RelayServer, startRelayServer, ticketNamed } from "../../helpers/brokers/relay-server.ts";

const TICKET = ticketNamed("good");
const SECRET = parseTicket(TICKET)?.secret ?? Buffer.alloc(0);
const DENIED = Buffer.of(1);

async function relayOf(clock?: ManualClock): Promise<RelayServer> {
  const server = await startRelayServer({
    authorize: (name) => (name === "good" ? MAY_ALL : undefined),
    ...(clock === undefined ? {} : { clock }),
  });
  onTestFinished(() => server.close());
  return server;
}

/** A connection that has greeted the relay, and got its challenge. */
async function challenged(port: number): Promise<{ socket: Socket; challenge: Buffer; answer: Promise<Buffer> }> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  const pieces: Buffer[] = [];
  const challenge = new Promise<Buffer>((resolve) => {
    socket.on("data", (bytes) => {
      pieces.push(bytes);
      if (Buffer.concat(pieces).length >= NONCE_BYTES) resolve(Buffer.concat(pieces).subarray(0, NONCE_BYTES));
    });
  });
  const answer = new Promise<Buffer>((resolve) => {
    socket.on("close", () => resolve(Buffer.concat(pieces).subarray(NONCE_BYTES)));
  });
  socket.write(GREETING);
  return { socket, challenge: await challenge, answer };
}

/** What somebody with this ticket says to that challenge. */
function answerTo(challenge: Uint8Array, ticket = TICKET): Buffer {
  const nonce = Buffer.from(systemRandom.hex(NONCE_BYTES), "hex");
  const step = new ClientHandshake({ ticket, nonce }).push(challenge);
  if (step === undefined || !("send" in step)) throw new Error("want an answer");
  return Buffer.from(step.send);
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const other = Buffer.from(bytes);
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}

/** The bytes of the example in docs/protocol.md, by the line before them. */
function example(): Record<string, Buffer> {
  const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
  const [, block = ""] = /An example\. The ticket is the bytes.*?```text\n(.*?)```/s.exec(page) ?? [];
  return Object.fromEntries(
    block
      .trim()
      .split("\n\n")
      .map((part) => {
        const [name = "", ...hex] = part.split("\n");
        return [name, Buffer.from(hex.join("").replaceAll(" ", ""), "hex")];
      }),
  );
}

function ascending(from: number, bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => from + index));
}

test("the handshake is that of docs/protocol.md, byte by byte", () => {
  const ticket = ascending(0, 24).toString("hex");
  const { secret = Buffer.alloc(0) } = parseTicket(ticket) ?? {};
  const client = new ClientHandshake({ ticket, nonce: ascending(0x40, NONCE_BYTES) });
  const relay = new RelayHandshake({ nonce: ascending(0x20, NONCE_BYTES), find: () => ({ secret, rights: "all" }) });
  const { greeting = GREETING, challenge = GREETING, answer = GREETING, verdict = GREETING } = example();
  expect(Buffer.from(GREETING)).toEqual(greeting);
  expect(relay.push(greeting)).toEqual({ send: challenge });
  expect(client.push(challenge)).toEqual({ send: answer });
  expect(relay.push(answer)).toEqual({ rights: "all", verdict });
  expect(client.push(verdict)).toEqual({ rest: Buffer.alloc(0) });
});

test("every challenge is another one", async () => {
  const { port } = await relayOf();
  const seen = await Promise.all([challenged(port), challenged(port), challenged(port)]);
  expect(new Set(seen.map(({ challenge }) => challenge.toString("hex"))).size).toBe(3);
});

test.each<[string, (challenge: Buffer) => Buffer]>([
  ["of a ticket that nobody has", (challenge) => answerTo(challenge, ticketNamed("bad"))],
  ["with another secret", (challenge) => answerTo(challenge, TICKET.slice(0, 16) + ticketNamed("bad").slice(16))],
  ["with one bit of the proof changed", (challenge) => flipped(answerTo(challenge), 71)],
  ["with one bit of its nonce changed", (challenge) => flipped(answerTo(challenge), 20)],
  ["with one bit of the id changed", (challenge) => flipped(answerTo(challenge), 3)],
  ["to another challenge", (challenge) => answerTo(flipped(challenge, 0))],
  ["of zeros", () => Buffer.alloc(72)],
])("an answer %s is refused, and does not say why", async (_what, answerBy) => {
  const { port, relay } = await relayOf();
  const { socket, challenge, answer } = await challenged(port);
  socket.write(answerBy(challenge));
  expect(await answer).toEqual(DENIED);
  expect(relay.connections).toBe(0);
});

test("an answer that was good once is refused when it is sent again", async () => {
  const { port, relay } = await relayOf();
  const first = await challenged(port);
  const good = answerTo(first.challenge);
  first.socket.write(good);
  await expect.poll(() => relay.connections).toBe(1);
  const second = await challenged(port);
  second.socket.write(good);
  expect(await second.answer).toEqual(DENIED);
});

test("a relay that gives back what it hears, or another relay's verdict, is not taken for the relay", () => {
  const nonce = Buffer.alloc(NONCE_BYTES, 1);
  const challenge = Buffer.alloc(NONCE_BYTES, 2);
  const begun = (own = nonce) => {
    const client = new ClientHandshake({ ticket: TICKET, nonce: own });
    const step = client.push(challenge);
    if (step === undefined || !("send" in step)) throw new Error("want an answer");
    return { client, said: Buffer.from(step.send) };
  };
  const { client, said } = begun();
  const refused = { code: "broker-unreachable", message: expect.stringContaining("found a wrong proof") };
  const pushed = (to: ClientHandshake, bytes: Uint8Array) => {
    try {
      return to.push(bytes);
    } catch (thrown) {
      return thrown;
    }
  };
  expect(pushed(client, Buffer.concat([Buffer.of(0), said.subarray(-32)]))).toMatchObject(refused);
  const relay = new RelayHandshake({ nonce: challenge, find: () => ({ secret: SECRET, rights: "all" }) });
  relay.push(GREETING);
  const proven = relay.push(said);
  if (typeof proven !== "object" || !("verdict" in proven)) throw new Error("want a verdict");
  // The same verdict is good for the nonce that it was made for, and for no other.
  expect(pushed(begun().client, proven.verdict)).toEqual({ rest: Buffer.alloc(0) });
  expect(pushed(begun(Buffer.alloc(NONCE_BYTES, 3)).client, proven.verdict)).toMatchObject(refused);
  expect(pushed(begun().client, flipped(proven.verdict, 5))).toMatchObject(refused);
});

test("the ticket's secret is in nothing that either side says", async () => {
  const { port } = await relayOf();
  const { socket, challenge } = await challenged(port);
  const said = answerTo(challenge);
  socket.write(said);
  const verdict = await new Promise<Buffer>((resolve) => void socket.once("data", resolve));
  for (const bytes of [challenge, said, verdict]) expect(bytes.includes(Buffer.from(SECRET))).toBe(false);
});

test.each<[string, readonly (string | Uint8Array)[]]>([
  ["another version", ["\xfffanfold\x03"]],
  ["a greeting that goes wrong at its end", ["\xfffanf", "oops"]],
  ["frames right behind the greeting", [Buffer.concat([GREETING, Buffer.alloc(1)])]],
])("who says %s is cut without an answer", async (_what, pieces) => {
  const { port } = await relayOf();
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const heard: Buffer[] = [];
  socket.on("data", (bytes) => heard.push(bytes));
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => void socket.on("close", () => resolve()));
  for (const piece of pieces) socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
  await closed;
  expect(heard).toEqual([]);
});

test("an answer with more behind it is cut: its client does not know yet whether this is the relay", async () => {
  const { port, relay } = await relayOf();
  const { socket, challenge, answer } = await challenged(port);
  socket.write(Buffer.concat([answerTo(challenge), Buffer.alloc(100_000)]));
  expect(await answer).toEqual(Buffer.alloc(0));
  expect(relay.connections).toBe(0);
});

test("an answer that is cut off ends its connection", async () => {
  const { port, relay } = await relayOf();
  const { socket, challenge, answer } = await challenged(port);
  socket.end(answerTo(challenge).subarray(0, 40));
  expect(await answer).toEqual(Buffer.alloc(0));
  expect(relay.connections).toBe(0);
});

test("an answer that never comes, or comes in drops, is not waited for longer than any other step", async () => {
  const clock = new ManualClock();
  const { port } = await relayOf(clock);
  const [silent, slow] = [await challenged(port), await challenged(port)];
  clock.advance(STEPS_MS.request / 2);
  slow.socket.write(answerTo(slow.challenge).subarray(0, 71));
  clock.advance(STEPS_MS.request / 2 + 1000);
  expect(await Promise.all([silent.answer, slow.answer])).toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
});

test("who stands in the relay's place, and lets everybody in, is not taken for the relay", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(Buffer.alloc(NONCE_BYTES));
      socket.once("data", () => socket.write(Buffer.alloc(33)));
    });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: TICKET } as const;
  const options = { clientName: "test", clock: systemClock, signal: NEVER };
  await expect(connectEmbedded(target, options)).rejects.toMatchObject({
    code: "broker-unreachable",
    message: expect.stringContaining("found a wrong proof"),
  });
});
