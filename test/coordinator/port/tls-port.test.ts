import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import type { CoordinatorOptions } from "../../../src/coordinator/coordinator.ts";
import { pinOf } from "../../../src/lib/crypto/public-key-pin.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { type TestCertificate, testAuthority } from "../../helpers/tls/test-authority.ts";
import { coordinatorOf, EventReader, stateFolder } from "../coordinator-fixture.ts";

/** A coordinator that serves TLS, and its certificate. */
async function guarded(options: Partial<CoordinatorOptions> = {}) {
  const stateDir = await stateFolder();
  const coordinator = await coordinatorOf({ requireToken: true, stateDir, ...options });
  const ca = options.tlsCert === undefined ? readFileSync(join(stateDir, "tls-certificate.pem"), "utf8") : "";
  return { coordinator, port: coordinator.port, ca };
}

async function health(options: ConnectionOptions): Promise<{ status: number; body: string; headers: object }> {
  const sent = request({ host: "127.0.0.1", path: "/healthz", agent: false, ...options }).end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body, headers: response.headers };
}

async function secured(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** What a server says to these bytes on a bare connection until it closes. */
async function answerTo(port: number, bytes: string): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks);
}

describe("a guarded coordinator", () => {
  test("serves TLS 1.3 with a certificate of its own", async () => {
    const { port, ca } = await guarded();
    expect(await health({ port, ca })).toMatchObject({ status: 200 });
    const socket = await secured({ port, ca, ALPNProtocols: ["http/1.1"] });
    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual(["TLSv1.3", "http/1.1"]);
    expect(socket.getCipher().name).toMatch(/AES_\d+_GCM/);
    expect(pinOf(new X509Certificate(ca))).toMatch(/^[a-z2-7]{52}$/);
    socket.destroy();
  });

  test("has the same certificate after a restart", async () => {
    const stateDir = await stateFolder();
    const first = await coordinatorOf({ requireToken: true, stateDir });
    const ca = readFileSync(join(stateDir, "tls-certificate.pem"), "utf8");
    await first.close();
    const { port } = await coordinatorOf({ requireToken: true, stateDir });
    expect(await health({ port, ca })).toMatchObject({ status: 200 });
  });

  test("takes nothing older than TLS 1.3", async () => {
    const { port, ca } = await guarded();
    await expect(secured({ port, ca, maxVersion: "TLSv1.2" })).rejects.toMatchObject({
      code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    });
  });

  test("closes a plain connection, and says no more to it than TLS's alert", async () => {
    const { port, ca } = await guarded();
    for (const bytes of ["GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(10_000), "\0".repeat(64)])
      expect((await answerTo(port, bytes)).length).toBeLessThanOrEqual(7);
    expect(await health({ port, ca })).toMatchObject({ status: 200 });
  });

  test("sends headers that make a browser load, show and keep nothing", async () => {
    const { port, ca } = await guarded();
    expect((await health({ port, ca })).headers).toMatchObject({
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "cross-origin-resource-policy": "same-origin",
    });
  });
});

describe("--tls-client-ca", () => {
  test("lets in who has a certificate of that authority, and says to all others what is wanted", async () => {
    const folder = tempFolder();
    const [authority, other] = [await testAuthority(folder, "a"), await testAuthority(folder, "b")];
    const { port, ca } = await guarded({ tlsClientCa: authority.certificateFile });
    const shown = ({ certificate: cert, key }: TestCertificate) => ({ cert, key });
    const own = await authority.issue("own", ["DNS:client"]);
    expect(await health({ port, ca, ...shown(own) })).toMatchObject({ status: 200 });
    const strange = [{}, shown(await other.issue("strange", ["DNS:client"])), shown(other)];
    for (const certificate of strange) {
      expect(await health({ port, ca, ...certificate })).toMatchObject({
        status: 403,
        headers: { "fanfold-code": "certificate-wanted" },
        body: expect.stringContaining("--tls-client-ca"),
      });
    }
  });
});

describe("a session of TLS that is resumed", () => {
  test("has the certificate that it began with, or none", async () => {
    const folder = tempFolder();
    const authority = await testAuthority(folder);
    const { port, ca } = await guarded({ tlsClientCa: authority.certificateFile });
    const own = await authority.issue("own", ["DNS:client"]);
    const resumedBy = async (certificate: ConnectionOptions): Promise<number> => {
      const first = await secured({ port, ca, ...certificate });
      first.resume();
      const [session] = await once(first, "session");
      first.destroy();
      const second = await secured({ port, ca, session, ...certificate });
      expect(second.isSessionReused()).toBe(true);
      second.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
      const [answer] = await once(second, "data");
      second.destroy();
      return Number(/^HTTP\/1\.1 (\d+)/.exec(String(answer))?.[1]);
    };
    expect(await resumedBy({})).toBe(403);
    expect(await resumedBy({ cert: own.certificate, key: own.key })).toBe(200);
  });
});

describe("reload()", () => {
  test("shows new files to new connections, and leaves those that are open", async () => {
    const folder = tempFolder();
    const authority = await testAuthority(folder);
    const names = ["DNS:localhost", "IP:127.0.0.1"];
    const [one, other] = [await authority.issue("one", names), await authority.issue("other", names)];
    const [tlsCert, tlsKey] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
    const put = ({ certificate, key }: TestCertificate) => {
      writeFileSync(tlsCert, certificate);
      writeFileSync(tlsKey, key, { mode: 0o600 });
    };
    put(one);
    const { coordinator, port } = await guarded({ tlsCert, tlsKey });
    const events = new EventReader(coordinator);
    const open = await secured({ port, ca: authority.certificate });
    const shown = (socket: TLSSocket) => socket.getPeerX509Certificate()?.fingerprint256;
    const printOf = (pem: string) => new X509Certificate(pem).fingerprint256;

    put(other);
    coordinator.reload();
    await events.until("reloaded");
    const later = await secured({ port, ca: authority.certificate });
    expect([shown(open), shown(later)]).toEqual([printOf(one.certificate), printOf(other.certificate)]);
    open.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(String((await once(open, "data"))[0])).toContain("200 OK");

    writeFileSync(tlsKey, one.key);
    coordinator.reload();
    expect(await events.until("warning")).toMatchObject({
      code: "usage",
      message: expect.stringContaining("another certificate"),
    });
    const still = await secured({ port, ca: authority.certificate });
    expect(shown(still)).toBe(printOf(other.certificate));
    for (const socket of [open, later, still]) socket.destroy();
  });

  test("has nothing to read where the certificate is the coordinator's own", async () => {
    const { coordinator, port, ca } = await guarded();
    coordinator.reload();
    expect(await health({ port, ca })).toMatchObject({ status: 200 });
  });
});
