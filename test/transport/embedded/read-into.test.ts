import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { readInto } from "../../../src/transport/embedded/read-into.ts";
import { selfMade } from "../../helpers/tls/certificates.ts";

interface Pair {
  readonly client: Socket;
  readonly accepted: Socket;
}

/** The same with TLS in between: `raw` is the connection underneath the client. */
async function securePair(): Promise<Pair & { readonly raw: Socket }> {
  const { certificate: cert, key } = selfMade();
  const server = createTlsServer({ cert, key, minVersion: "TLSv1.3" });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const raw = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const client = connectTls({ socket: raw, ca: cert, checkServerIdentity: () => undefined });
  onTestFinished(() => void client.destroy());
  const [accepted] = (await once(server, "secureConnection")) as [Socket];
  onTestFinished(() => void accepted.destroy());
  return { client, accepted, raw };
}

const PAIRS = [
  ["plain", pair],
  ["TLS", securePair],
] as const;

async function pair(): Promise<Pair> {
  const server = createServer();
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void client.destroy());
  const [accepted] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => void accepted.destroy());
  return { client, accepted };
}

/** Takes ten bytes at a time, and tells the way they came. */
function tenBytes(): {
  readonly ways: string[];
  text(): string;
  target(): Uint8Array;
  read(bytes: number, target: Uint8Array): void;
  push(chunk: Uint8Array): void;
} {
  const ways: string[] = [];
  let text = "";
  const memory = Buffer.alloc(10);
  return {
    ways,
    text: () => text,
    target: () => memory,
    read: (bytes, target) => {
      expect(target).toBe(memory);
      ways.push("read");
      text += memory.toString("latin1", 0, bytes);
    },
    push: (chunk) => {
      ways.push("push");
      text += Buffer.from(chunk).toString("latin1");
    },
  };
}

describe.each(PAIRS)("readInto() over %s", (_, makePair) => {
  test("has an accepted socket's bytes put where its reader says, and none anywhere else", async () => {
    const { client, accepted } = await makePair();
    const reader = tenBytes();
    const socket = readInto(accepted, reader);
    socket.on("error", () => undefined);
    client.end("twenty-two bytes of it");
    socket.resume();
    await once(socket, "end");
    expect(reader.text()).toBe("twenty-two bytes of it");
    expect(new Set(reader.ways)).toEqual(new Set(["read"]));
    expect(reader.ways.length).toBeGreaterThanOrEqual(3);
  });

  test("writes to the same client", async () => {
    const { client, accepted } = await makePair();
    readInto(accepted, tenBytes()).write("hello");
    const [bytes] = (await once(client, "data")) as [Buffer];
    expect(bytes.toString()).toBe("hello");
  });

  test.each(["the accepted socket", "its successor"])("ends the connection when %s is destroyed", async (which) => {
    const { client, accepted } = await makePair();
    const socket = readInto(accepted, tenBytes());
    const closed = Promise.all([once(client, "close"), once(accepted, "close"), once(socket, "close")]);
    client.resume();
    (which === "its successor" ? socket : accepted).destroy();
    await closed;
  });
});

describe("readInto()", () => {
  test("reads anything else as it comes", () => {
    const reader = tenBytes();
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    expect(readInto(stream, reader)).toBe(stream);
    stream.push("abc");
    stream.read();
    expect([reader.text(), reader.ways]).toEqual(["abc", ["push"]]);
  });

  test("takes what is no TLS any more as the end of the connection", async () => {
    const { client, accepted, raw } = await securePair();
    client.on("error", () => undefined);
    const reader = tenBytes();
    const socket = readInto(accepted, reader);
    socket.resume();
    client.write("good");
    await expect.poll(() => reader.text()).toBe("good");
    let failure: Error | undefined;
    socket.on("error", (error) => {
      failure = error;
    });
    const closed = Promise.all([socket, accepted].map((each) => new Promise((resolve) => each.once("close", resolve))));
    raw.write(Buffer.from([23, 3, 3, 0, 32, ...Array.from({ length: 32 }, () => 7)]));
    await closed;
    expect(failure).toBeInstanceOf(Error);
    expect(reader.text()).toBe("good");
  });
});
