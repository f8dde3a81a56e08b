import { expect, test } from "vitest";
import { follow } from "../../src/web/store/follow.ts";
import { startPageServer } from "./page-server.ts";

const REFUSAL = { "content-type": "application/problem+json" };

test("a stream that is refused is asked for again, until a token is asked for", async () => {
  const statuses = [403, 200, 401];
  await using server = await startPageServer((_request, response) => {
    const status = statuses.shift() ?? 500;
    if (status === 200) response.writeHead(200, { "content-type": "text/event-stream" }).end("id: 7\ndata: here\n\n");
    else response.writeHead(status, REFUSAL).end(JSON.stringify({ code: "refused", detail: `status ${status}` }));
  });
  expect(server).toBeDefined();
  const told: string[] = [];
  await follow(
    {
      live: () => told.push("live"),
      lost: ({ message }) => told.push(message),
      take: (data) => told.push(data),
    },
    new AbortController().signal,
  );
  expect(told).toEqual(["Status 403.", "live", "here", "The connection to the coordinator broke off.", "Status 401."]);
});
