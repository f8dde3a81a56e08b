import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { askCoordinator } from "../../../src/cli/completion/ask.ts";
import { formatToken } from "../../../src/protocol/access/token.ts";
import type { TokenRole } from "../../../src/protocol/access/token-role.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { memoryIo } from "../terminal/memory-io.ts";

type Asked = Parameters<typeof askCoordinator>[0];

/** A coordinator that tells everything, and how often it was reached. */
async function talker() {
  const server = createServer((_, response) => {
    const sessions = [{ session: "nightly", sessionId: "abc" }];
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ sessions, sinks: [], members: [{ name: "attic" }], tokens: [] }));
  });
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const ask = async (asked: Asked, role?: TokenRole, scheme = "http"): Promise<readonly string[]> => {
    const token = role && formatToken({ role, pin: "", id: "abcdefgh", secret: "a".repeat(26) });
    const io = memoryIo({ XDG_STATE_HOME: tempFolder(), ...(token && { FANFOLD_TOKEN: token }) });
    return await askCoordinator(asked, { coordinator: `${scheme}://127.0.0.1:${port}` }, io);
  };
  return { ask, connections: () => connections };
}

test("who completes asks with a token that may read, or with none where none is needed", async () => {
  const { ask } = await talker();
  for (const role of ["observer", "admin"] as const) {
    expect(await ask("sessions", role)).toEqual(["nightly"]);
    expect(await ask("members", role)).toEqual(["attic"]);
  }
  expect(await ask("sessions")).toEqual(["nightly"]);
});

test("a coordinator that would say no is not asked: it counts who fails", async () => {
  const { ask, connections } = await talker();
  for (const role of ["source", "sink"] as const) expect(await ask("sessions", role)).toEqual([]);
  for (const asked of ["members", "tokens"] as const) expect(await ask(asked)).toEqual([]);
  expect(await ask("sessions", undefined, "https")).toEqual([]);
  expect(connections()).toBe(0);
  await ask("sessions");
  expect(connections()).toBe(2);
});
