import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { pinOf } from "../../../src/lib/crypto/public-key-pin.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { openSocket } from "../../../src/lib/tls/open-socket.ts";
import { ServerTrust } from "../../../src/lib/tls/server-trust.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { selfMade } from "../../helpers/tls/certificates.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";
import { startTlsServer } from "../../helpers/tls/tls-server.ts";

const WHAT = "cannot connect to the coordinator at backup:7337";
const never = new AbortController().signal;

function serverAt(port: number, trust?: ServerTrust, host = "127.0.0.1") {
  const unreachable = (found: string) => new FanfoldError("coordinator-unreachable", `${WHAT}: ${found}`);
  return { host, port, trust, what: WHAT, unreachable };
}

/** Says something to a server, if it is let; the pin that the connection saw. */
async function speakTo(port: number, trust?: ServerTrust, host?: string): Promise<string> {
  const { socket, pin } = await openSocket(serverAt(port, trust, host), { signal: never });
  socket.resume().write("a secret");
  onTestFinished(() => void socket.destroy());
  return pin;
}

test("takes the server that has the key, under any host name, and asks only once for its certificate", async () => {
  const pair = selfMade({ hosts: ["another.example"] });
  const server = await startTlsServer(pair);
  const trust = new ServerTrust({ pin: pair.pin });
  expect(await speakTo(server.port, trust)).toBe(pair.pin);
  expect(await speakTo(server.port, trust, "localhost")).toBe(pair.pin);
  expect(trust.certificate).toBe(pair.certificate);
  await expect.poll(() => server.received).toBe("a secreta secret");
  expect(server.connections).toBe(3);
});

test("reads into the reader's own buffers over TLS, too", async () => {
  const pair = selfMade();
  const server = await startTlsServer(pair, { onSocket: (socket) => void socket.write("to be read") });
  const read = Promise.withResolvers<string>();
  const buffer = Buffer.alloc(100);
  const callback = (bytes: number): boolean => {
    read.resolve(buffer.toString("latin1", 0, bytes));
    return true;
  };
  const trust = new ServerTrust({ pin: pair.pin });
  const onread = { buffer, callback };
  const { socket } = await openSocket(serverAt(server.port, trust), { signal: never, onread });
  expect(await read.promise).toBe("to be read");
  socket.destroy();
});

test("somebody with another key hears nothing, with and without a known certificate", async () => {
  const [pair, other] = [selfMade(), selfMade()];
  const between = await startTlsServer(other);
  for (const certificate of [undefined, pair.certificate]) {
    const refused = speakTo(between.port, new ServerTrust({ pin: pair.pin, certificate }));
    await expect(refused).rejects.toMatchObject({
      code: "pin-mismatch",
      message: `${WHAT}: it has the key ${other.pin.slice(0, 12)}…, expected ${pair.pin.slice(0, 12)}…; somebody may stand in between, or the coordinator was set up anew: then get a new token`,
    });
  }
  expect(between.received).toBe("");
});

test("somebody who shows the right certificate and does not have its key hears nothing", async () => {
  const [pair, other] = [selfMade(), selfMade()];
  // A chain whose first certificate is one's own, with that of the coordinator behind it.
  const between = await startTlsServer({ key: other.key, certificate: other.certificate + pair.certificate });
  const trust = new ServerTrust({ pin: pair.pin, certificate: pair.certificate });
  await expect(speakTo(between.port, trust)).rejects.toMatchObject({ code: "pin-mismatch" });
  expect(between.received).toBe("");
});

test("goes on with a renewed certificate of the same key", async () => {
  const pair = selfMade();
  const server = await startTlsServer(pair);
  const trust = new ServerTrust({ pin: pair.pin });
  await speakTo(server.port, trust);
  const renewed = pair.renewed();
  server.use(renewed);
  expect(await speakTo(server.port, trust)).toBe(pair.pin);
  await expect.poll(() => server.received).toBe("a secreta secret");
});

test("goes on with a renewed certificate when the old one has expired", async () => {
  const old = selfMade({ now: new Date("2011-01-01") });
  const server = await startTlsServer(old);
  const trust = new ServerTrust({ pin: old.pin });
  await expect(speakTo(server.port, trust)).rejects.toMatchObject({
    code: "clock-off",
    message: `${WHAT}: its certificate is valid from 2010-12-31T00:00:00.000Z to 2021-01-01T00:00:00.000Z, which is not now by the clock of this machine; set the clock if it is wrong, else the server needs a new certificate`,
  });
  expect(server.received).toBe("");
  server.use(old.renewed());
  expect(await speakTo(server.port, trust)).toBe(old.pin);
});

test("a certificate that is not valid yet is a matter of clocks", async () => {
  const pair = selfMade({ now: new Date("2090-01-01") });
  const server = await startTlsServer(pair);
  const trust = new ServerTrust({ pin: pair.pin });
  await expect(speakTo(server.port, trust)).rejects.toMatchObject({ code: "clock-off" });
});

test("without a pin an authority of this machine has to vouch for the host name", async () => {
  const authority = await testAuthority(tempFolder());
  const server = await startTlsServer(await authority.issue("nas", ["DNS:localhost"]));
  const trust = new ServerTrust({ pin: "" });
  await expect(speakTo(server.port, trust, "localhost")).rejects.toMatchObject({
    code: "tls-failed",
    message: expect.stringContaining(
      "no authority that this machine knows vouches for its certificate; add the authority to this system, or set FANFOLD_TOKEN",
    ),
  });
  const before = getCACertificates("default");
  onTestFinished(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, authority.certificate]);
  expect(await speakTo(server.port, trust, "localhost")).toMatch(/^[a-z2-7]{52}$/);
  await expect(speakTo(server.port, trust, "127.0.0.1")).rejects.toMatchObject({
    code: "tls-failed",
    message: expect.stringContaining("its certificate is for other names (DNS:localhost)"),
  });
  await expect.poll(() => server.received).toBe("a secret");
});

test("takes a certificate with the right key also when an unknown authority has issued it", async () => {
  const pair = await (await testAuthority(tempFolder())).issue("nas", ["DNS:nas.example"]);
  const server = await startTlsServer(pair);
  const pin = pinOf(new X509Certificate(pair.certificate));
  expect(await speakTo(server.port, new ServerTrust({ pin }))).toBe(pin);
});

test("shows a certificate to a server that wants one", async () => {
  const [pair, authority] = [selfMade(), await testAuthority(tempFolder())];
  const asks = { requestCert: true, rejectUnauthorized: true, ca: [authority.certificate] };
  const server = await startTlsServer(pair, { ...asks, onSocket: (socket) => void socket.write("welcome") });
  const client = await authority.issue("alpha", ["DNS:alpha"]);
  const trust = new ServerTrust({ pin: pair.pin, client });
  const { socket } = await openSocket(serverAt(server.port, trust), { signal: never });
  expect(String((await once(socket, "data"))[0])).toBe("welcome");
  socket.destroy();
});

test("a certificate of this client that is none is a mistake of who gave it", async () => {
  const pair = selfMade();
  const server = await startTlsServer(pair);
  const trust = new ServerTrust({ pin: pair.pin, client: { certificate: "none", key: pair.key } });
  await expect(speakTo(server.port, trust)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("the certificate or the key of this client cannot be used ("),
  });
});

test("tells who does not speak TLS, who does not speak TLS 1.3, and who hangs up", async () => {
  const trust = new ServerTrust({ pin: selfMade().pin });
  const listen = async (answer: string | undefined): Promise<number> => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end(answer ?? ""));
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const old = await startTlsServer(selfMade(), { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" });
  await expect(speakTo(await listen("HTTP/1.1 400 Bad Request\r\n\r\n"), trust)).rejects.toMatchObject({
    code: "tls-failed",
    message: expect.stringContaining("it does not speak TLS; check the address and the port"),
  });
  await expect(speakTo(old.port, trust)).rejects.toMatchObject({
    code: "tls-failed",
    message: expect.stringContaining("it speaks an old TLS, want TLS 1.3"),
  });
  await expect(speakTo(await listen(undefined), trust)).rejects.toMatchObject({ code: "coordinator-unreachable" });
});

test("ends when it is told to, whatever the server does", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const stop = new AbortController();
  const opening = openSocket(serverAt(port, new ServerTrust({ pin: selfMade().pin })), { signal: stop.signal });
  silent.once("connection", () => stop.abort(new FanfoldError("interrupted", "enough")));
  await expect(opening).rejects.toMatchObject({ code: "interrupted" });
});
