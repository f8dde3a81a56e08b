import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { CoordinatorServer } from "../../../src/coordinator/port/server.ts";
import { openControlLink } from "../../../src/member/control-link.ts";
import { PROTOCOL_VERSION } from "../../../src/protocol/limits.ts";
import { freePorts } from "../../helpers/brokers/broker-process.ts";
import { ControlClient } from "../control-client.ts";
import { coordinatorOf, EventReader } from "../coordinator-fixture.ts";

interface Reply {
  readonly status: number;
  readonly body: string;
}

async function get(port: number, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  const sent = request({ host: "127.0.0.1", port, path, headers }).end();
  const [response] = await once(sent, "response");
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

/** The status that refuses an upgrade. */
async function upgradeStatus(port: number, path: string, headers: Record<string, string>): Promise<Reply> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });
  socket.on("error", () => undefined);
  const [, response] = await once(socket, "unexpected-response");
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode, body };
}

describe("over HTTP, the coordinator", () => {
  test("says that it is well, and what it is to all else", async () => {
    const { port } = await coordinatorOf();
    expect(await get(port, "/healthz")).toEqual({
      status: 200,
      body: `{"status":"ok","version":${PROTOCOL_VERSION}}\n`,
    });
    expect(await get(port, "/")).toMatchObject({ status: 404, body: expect.stringContaining("fanfold coordinator") });
    expect(await get(port, "/control")).toMatchObject({ status: 404 });
  });

  test("tells that it lives, and that nobody can join, while its broker is not there", async () => {
    const [port] = await freePorts(1);
    const coordinator = await coordinatorOf({ broker: `nats://u:geheim@127.0.0.1:${port}` });
    await new EventReader(coordinator).until("broker", ({ status }) => status === "unreachable");
    expect(await get(coordinator.port, "/livez")).toEqual({
      status: 200,
      body: `{"status":"ok","version":${PROTOCOL_VERSION}}\n`,
    });
    const { status, body } = await get(coordinator.port, "/healthz");
    expect([status, JSON.parse(body)]).toEqual([
      503,
      {
        status: "unavailable",
        reason: expect.stringMatching(/^The broker at nats:.* cannot be used: .*nothing listens there/),
        version: PROTOCOL_VERSION,
      },
    ]);
    expect(body).not.toContain("geheim");
  });

  test("tells who is too early to come again", async () => {
    const rules = { bindHost: "127.0.0.1", machineName: "alpha", allowHosts: [] };
    await using server = new CoordinatorServer({ host: "127.0.0.1", port: 0, rules });
    const { port } = await server.listen();
    expect(await get(port, "/healthz")).toMatchObject({ status: 503 });
    expect(await upgradeStatus(port, "/control", {})).toMatchObject({ status: 503 });
    const { signal } = new AbortController();
    await expect(openControlLink({ host: "127.0.0.1", port }, signal)).rejects.toMatchObject({
      code: "coordinator-unreachable",
    });
  });

  test.each<[string, Record<string, string>]>([
    ["a page of a name that leads here", { host: "evil.example.com", origin: "http://evil.example.com" }],
    ["a page from elsewhere", { origin: "http://evil.example.com" }],
    ["a request of a browser for a foreign host", { host: "evil.example.com", "sec-fetch-site": "same-origin" }],
  ])("refuses %s, for requests and for upgrades", async (_, headers) => {
    const { port } = await coordinatorOf();
    expect(await get(port, "/healthz", headers)).toMatchObject({
      status: 403,
      body: expect.stringContaining("--allow-host"),
    });
    for (const path of ["/control", "/relay"]) {
      expect(await upgradeStatus(port, path, headers)).toMatchObject({
        status: 403,
        body: expect.stringContaining("--allow-host"),
      });
    }
  });

  test("lets its own clients call it by any name that leads here, and nobody else", async () => {
    const coordinator = await coordinatorOf();
    const headers = { host: "backup-alias.example.org" };
    using client = await ControlClient.connect(coordinator.port, { headers });
    const { transport } = await client.enter("sink");
    if (transport.kind !== "embedded") throw new Error("want the embedded relay");
    const upgrade = { ...headers, upgrade: "fanfold-relay/1", connection: "Upgrade" };
    const relay = request({
      ...{ host: "127.0.0.1", port: coordinator.port, path: "/relay" },
      headers: { ...upgrade, authorization: `Bearer ${transport.ticket}` },
    }).end();
    const [response, socket] = await once(relay, "upgrade");
    expect(response.statusCode).toBe(101);
    socket.destroy();
    expect(await get(coordinator.port, "/healthz", headers)).toMatchObject({ status: 403 });
  });

  test("lets a host pass that --allow-host names", async () => {
    const { port } = await coordinatorOf({ allowHosts: ["copies.example.net"] });
    expect(await get(port, "/healthz", { host: "copies.example.net" })).toMatchObject({ status: 200 });
  });

  test("refuses an upgrade on another path", async () => {
    const { port } = await coordinatorOf();
    expect(await upgradeStatus(port, "/elsewhere", {})).toMatchObject({ status: 404 });
  });

  test.each([
    "\0\0\0\0\r\n\r\n",
    "GET / HTTP/9\r\n\r\n",
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
  ])("answers bytes that are no request with an error and goes on: %#", async (bytes) => {
    const { port } = await coordinatorOf();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(bytes);
    socket.resume();
    await once(socket, "close");
    expect(await get(port, "/healthz")).toMatchObject({ status: 200 });
  });
});
