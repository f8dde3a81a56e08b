import { once } from "node:events";
import { request } from "node:http";
import { request as requestTls } from "node:https";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Answer } from "../../../src/coordinator/port/routes.ts";
import { CoordinatorServer } from "../../../src/coordinator/port/server.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { PROTOCOL_VERSION } from "../../../src/protocol/limits.ts";
import { freePort } from "../../helpers/free-ports.ts";
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
    expect(await get(port, "/else")).toMatchObject({
      status: 404,
      body: expect.stringContaining("fanfold coordinator"),
    });
    expect(await get(port, "/control")).toMatchObject({ status: 404 });
  });

  test("tells that it lives, and that nobody can join, while its broker is not there", async () => {
    const port = await freePort();
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

  test("does not tell a stranger where its broker is", async () => {
    const port = await freePort();
    const coordinator = await coordinatorOf({ broker: `nats://127.0.0.1:${port}`, requireToken: true });
    await new EventReader(coordinator).until("broker", ({ status }) => status === "unreachable");
    const asked = { host: "127.0.0.1", port: coordinator.port, path: "/healthz", rejectUnauthorized: false };
    const [response] = await once(requestTls(asked).end(), "response");
    let body = "";
    for await (const chunk of response) body += String(chunk);
    expect(response.statusCode).toBe(503);
    expect(JSON.parse(body).reason).toContain("the broker cannot be used");
    expect(body).not.toContain(`:${port}`);
  });

  test("lets wait who is too early", async () => {
    const rules = { bindHost: "127.0.0.1", machineName: "alpha", allowHosts: [] };
    await using server = new CoordinatorServer({ host: "127.0.0.1", port: 0, rules, tls: "off", clock: systemClock });
    const { port } = await server.listen();
    const early = get(port, "/early");
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const answer: Answer = { status: 200, type: "text/plain", body: "served" };
    server.serve({ control: () => undefined, routes: new Map([["/early", () => answer]]) });
    expect(await early).toEqual({ status: 200, body: "served" });
    socket.destroy();
  });

  test("answers one request of a connection, whatever is sent behind it", async () => {
    const rules = { bindHost: "127.0.0.1", machineName: "alpha", allowHosts: [] };
    await using server = new CoordinatorServer({ host: "127.0.0.1", port: 0, rules, tls: "off", clock: systemClock });
    const { port } = await server.listen();
    let asked = 0;
    const route = (): Answer => {
      asked += 1;
      return { status: 200, type: "text/plain", body: "served" };
    };
    server.serve({ control: () => undefined, routes: new Map([["/once", route]]) });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /once HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(3));
    socket.resume();
    await once(socket, "close");
    expect(asked).toBe(1);
  });

  test("goes on when the page cannot be loaded any more, and says what to do", async () => {
    const rules = { bindHost: "127.0.0.1", machineName: "alpha", allowHosts: [] };
    await using server = new CoordinatorServer({ host: "127.0.0.1", port: 0, rules, tls: "off", clock: systemClock });
    const { port } = await server.listen();
    const page = (): Promise<never> => Promise.reject(new Error("Cannot find module page-files.js"));
    server.serve({ control: () => undefined, routes: new Map(), page });
    for (const path of ["/", "/sessions/abc"])
      expect(await get(port, path)).toEqual({
        status: 500,
        body: expect.stringMatching(/start the coordinator again$/m),
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
    expect(await upgradeStatus(port, "/control", headers)).toMatchObject({
      status: 403,
      body: expect.stringContaining("--allow-host"),
    });
  });

  test("lets its own clients call it by any name that leads here, and nobody else", async () => {
    const coordinator = await coordinatorOf();
    const headers = { host: "backup-alias.example.org" };
    using client = await ControlClient.connect(coordinator.port, { headers });
    await client.enter("sink");
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
