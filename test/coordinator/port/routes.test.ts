import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Answer } from "../../../src/coordinator/port/routes.ts";
import { CoordinatorServer } from "../../../src/coordinator/port/server.ts";

/** A server with one route, `/stream`. */
async function serverOf(route: (signal: AbortSignal) => Answer): Promise<number> {
  const rules = { bindHost: "127.0.0.1", machineName: "alpha", allowHosts: [] };
  const server = new CoordinatorServer({ host: "127.0.0.1", port: 0, rules });
  onTestFinished(() => server.close());
  const { port } = await server.listen();
  server.serve({ control: () => undefined, routes: new Map([["/stream", route]]) });
  return port;
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
