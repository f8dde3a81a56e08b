import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createPlainServer, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { PROTOCOL_VERSION } from "../../../src/protocol/limits.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { E2E_MS } from "../copying.ts";
import { examined } from "./examined.ts";

/** `host:port` of a server of the test. */
async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `localhost:${(server.address() as AddressInfo).port}`;
}

/** Something that says it is a coordinator, with a clock and a version of its own. */
function claims({ aheadMs = 0, version = PROTOCOL_VERSION }): Promise<string> {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    response.setHeader("date", new Date(Date.now() + aheadMs).toUTCString());
    response.end(JSON.stringify({ status: "ok", version }));
  });
  return listening(server);
}

describe("fanfold doctor on the way to a coordinator", { timeout: E2E_MS }, () => {
  test("finds nothing wrong with one that runs, and ends with 0", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await lab.coordinator();
    const { status, of, named } = await examined(lab, ["--coordinator", address]);
    expect(named("ok")).toEqual(expect.arrayContaining(["address", "port", "protocol", "coordinator", "clock"]));
    expect([named("error"), status]).toEqual([[], 0]);
    expect(of("token")).toMatchObject({ status: "skipped", found: "no token was given" });
    expect(of("sink-folder").status).toBe("skipped");
  });

  test("says that nothing listens at a wrong port, and ends with 36", async () => {
    await using lab = await CliLab.open("open");
    const port = await freePort();
    const { status, of, named } = await examined(lab, ["--coordinator", `localhost:${port}`]);
    expect(of("port")).toMatchObject({
      status: "error",
      found: `cannot connect to the coordinator at localhost:${port}: connection refused: nothing listens there`,
      todo: 'is "fanfold coordinator" running there?',
    });
    expect([named("error"), status]).toEqual([["port"], 36]);
    expect(of("clock")).toMatchObject({ status: "skipped", found: "there is no connection to the coordinator" });
  });

  test("takes the coordinator of the environment for one that was named", async () => {
    await using lab = await CliLab.open("open");
    const port = await freePort();
    const { status, of } = await examined(lab, [], { env: { FANFOLD_COORDINATOR: `localhost:${port}` } });
    expect([of("port").status, status]).toEqual(["error", 36]);
  });

  test("says that a host name does not resolve", async () => {
    await using lab = await CliLab.open("open");
    const { of, named } = await examined(lab, ["--coordinator", "http://fanfold-doctor.invalid"]);
    expect(of("address").found).toMatch(/^fanfold-doctor\.invalid does not resolve: /);
    expect(named("error")).toEqual(["address"]);
  });

  test("tells a stranger at the port from a coordinator, whether it speaks HTTP or not", async () => {
    await using lab = await CliLab.open("open");
    const web = await listening(createServer((_request, response) => response.end("<h1>It works</h1>")));
    const mail = await listening(
      createPlainServer((socket) => {
        socket.on("error", () => undefined);
        socket.end("220 mail.example.org ESMTP\r\n");
      }),
    );
    for (const address of [web, mail]) {
      const { of, named } = await examined(lab, ["--coordinator", address]);
      expect(of("protocol").found).toContain("something else answers there");
      expect(named("error")).toEqual(["protocol"]);
    }
  });

  test("names the side that is older, where the versions of the protocol differ", async () => {
    await using lab = await CliLab.open("open");
    const older = await examined(lab, ["--coordinator", await claims({ version: PROTOCOL_VERSION - 1 })]);
    expect(older.of("protocol").todo).toMatch(/^the coordinator is older than this fanfold: /);
    const newer = await examined(lab, ["--coordinator", await claims({ version: PROTOCOL_VERSION + 1 })]);
    expect(newer.of("protocol").todo).toMatch(/^this fanfold is older than the coordinator: /);
    expect([older.status, newer.status]).toEqual([36, 36]);
  });

  test.each([
    ["an hour behind", 3_600_000, "error", /^(3599|3600|3601) s behind the coordinator's$/],
    ["a minute behind", 60_000, "warning", /^(59|60|61) s behind the coordinator's$/],
    ["an hour ahead", -3_600_000, "error", /^36\d\d s ahead of the coordinator's$/],
  ] as const)("compares the clocks: this one is %s", async (_how, aheadMs, status, found) => {
    await using lab = await CliLab.open("open");
    const { of } = await examined(lab, ["--coordinator", await claims({ aheadMs })]);
    expect(of("clock")).toMatchObject({ status, found: expect.stringMatching(found) });
    expect(of("clock").todo).toContain("NTP");
  });

  test("says why nobody can join a coordinator whose broker does not answer", async () => {
    await using lab = await CliLab.open("open");
    const port = await freePort();
    const coordinator = await lab.coordinator({ broker: `nats://127.0.0.1:${port}` });
    await coordinator.process.event("broker", { where: ({ status }) => status === "unreachable" });
    const { of } = await examined(lab, ["--coordinator", coordinator.address]);
    expect(of("coordinator")).toMatchObject({ status: "error", found: expect.stringContaining("nobody can join: ") });
  });
});
