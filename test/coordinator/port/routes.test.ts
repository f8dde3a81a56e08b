import { once } from "node:events";
import { get, type IncomingMessage, request } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { BODY_BYTES_MAX } from "../../../src/coordinator/port/port-request.ts";
import type { Answer, Api } from "../../../src/coordinator/port/routes.ts";
import { CoordinatorServer } from "../../../src/coordinator/port/server.ts";
import { systemClock } from "../../../src/lib/clock.ts";

/** A server with one route, `/stream`, and perhaps an API. */
async function serverOf(route: (signal: AbortSignal) => Answer, api?: Api): Promise<number> {
  const rules = { bindHost: "127.0.0.1", machineName: "alpha", allowHosts: [] };
  const server = new CoordinatorServer({ host: "127.0.0.1", port: 0, rules, tls: "off", clock: systemClock });
  onTestFinished(() => server.close());
  const { port } = await server.listen();
  server.serve({ control: () => undefined, routes: new Map([["/stream", route]]), api });
  return port;
}

const NONE: Answer = { status: 404, type: "text/plain", body: "" };

async function post(port: number, path: string, body: string): Promise<IncomingMessage> {
  const [response] = await once(request({ host: "127.0.0.1", port, path, method: "POST" }).end(body), "response");
  return response;
}

async function open(port: number): Promise<IncomingMessage> {
  const [response] = await once(get({ host: "127.0.0.1", port, path: "/stream" }), "response");
  return response;
}

describe("an answer that is a stream", () => {
  test("arrives piece by piece, and ends when it ends", async () => {
    const next = Promise.withResolvers<void>();
    const port = await serverOf(() => ({
      status: 200,
      type: "text/event-stream",
      body: (async function* () {
        yield "first\n";
        await next.promise;
        yield "second\n";
      })(),
    }));
    const response = await open(port);
    response.setEncoding("utf8");
    const pieces: string[] = [];
    for await (const piece of response) {
      pieces.push(piece);
      next.resolve();
    }
    expect(pieces).toEqual(["first\n", "second\n"]);
    expect(response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
  });

  test("is told when its client goes, and is ended", async () => {
    const ended = Promise.withResolvers<unknown>();
    const port = await serverOf((signal) => ({
      status: 200,
      type: "text/plain",
      body: (async function* () {
        try {
          yield "first\n";
          await once(signal, "abort");
          yield "nobody reads this";
        } finally {
          ended.resolve(signal.reason);
        }
      })(),
    }));
    const response = await open(port);
    await once(response, "data");
    response.destroy();
    expect(await ended.promise).toMatchObject({ code: "closed" });
  });
});

describe("the API behind the port", () => {
  test("gets method, path, headers and body of what is under its path, and of nothing else", async () => {
    const port = await serverOf(
      () => NONE,
      async (asked) => {
        const { method, path, address, isPrivate } = asked;
        const body = JSON.stringify({ method, path, address, isPrivate, body: await asked.body() });
        return { status: 201, type: "application/json", body, headers: { location: "/api/v1/x" } };
      },
    );
    const response = await post(port, "/api/v1/x?y=1", "hello");
    expect([response.statusCode, response.headers.location]).toEqual([201, "/api/v1/x"]);
    const { method, path, address, isPrivate, body } = JSON.parse(String(await response.setEncoding("utf8").toArray()));
    expect([method, path, address, isPrivate, body]).toEqual(["POST", "/api/v1/x", "127.0.0.1", true, "hello"]);
    expect((await post(port, "/stream", "")).statusCode).toBe(404);
    expect((await post(port, "/apix", "")).statusCode).toBe(404);
  });

  test("reads no more of a body than its bound", async () => {
    const codes: unknown[] = [];
    const port = await serverOf(
      () => NONE,
      async (asked) => {
        await asked.body().catch((thrown: unknown) => codes.push(thrown));
        return NONE;
      },
    );
    await post(port, "/api/v1/x", "x".repeat(BODY_BYTES_MAX));
    expect(codes).toEqual([]);
    await post(port, "/api/v1/x", "x".repeat(BODY_BYTES_MAX + 1));
    expect(codes).toEqual([expect.objectContaining({ code: "payload-too-large" })]);
  });
});
