import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, test } from "vitest";
import { GREETING } from "../../src/transport/embedded/handshake.ts";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectProven } from "../e2e/copying.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { Intruder } from "./intruder.ts";

/** The beginning of a ClientHello of 512 bytes. */
const HALF_HELLO = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]);
const UPGRADE = [
  ...["Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}`,
];

/** How far each goes before it falls silent; the first two speak no TLS. */
const STEPS: Readonly<Record<string, readonly [isSecure: boolean, bytes: string | Buffer]>> = {
  "a connection": [false, ""],
  "half of a handshake": [false, HALF_HELLO],
  "a handshake": [true, ""],
  "half of a request": [true, "GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nX: "],
  "half of a body": [true, "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n{"],
  "half of a greeting of the relay": [false, Buffer.from(GREETING.subarray(0, 3))],
  "a greeting of the relay without an answer": [false, Buffer.from(GREETING)],
  "the same inside of TLS": [true, Buffer.from(GREETING)],
  "an upgrade without a hello": [true, ["GET /control HTTP/1.1", ...UPGRADE, "", ""].join("\r\n")],
  "half of a hello": [
    true,
    Buffer.concat([Buffer.from(["GET /control HTTP/1.1", ...UPGRADE, "", ""].join("\r\n")), Buffer.from([0x81, 0xfe])]),
  ],
};

test("whoever goes no further is cut by the coordinator, in every step, and a copy is made meanwhile", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open("guarded");
  makeManyFiles(lab.path("source"), 5);
  const coordinator = await startGuarded(lab);
  const intruder = await Intruder.at(coordinator);
  const cut = Object.entries(STEPS).map(([step, [isSecure, bytes]]) => {
    const to = intruder.reach();
    const socket: Socket = isSecure ? connectTls(to) : connect(to);
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(bytes);
    return once(socket, "close").then(() => step);
  });
  await expectProven(lab.source(coordinator.address, lab.path("source")), [
    lab.sink(coordinator.address, lab.path("sink")),
  ]);
  expect(await Promise.all(cut)).toEqual(Object.keys(STEPS));
});

test("nothing older than TLS 1.3, and nothing without TLS, gets an answer", { timeout: E2E_MS }, async () => {
  await using lab = await CliLab.open("guarded");
  const coordinator = await startGuarded(lab);
  const intruder = await Intruder.at(coordinator);
  const old = connectTls({ ...intruder.reach(), maxVersion: "TLSv1.2" });
  await expect(once(old, "secureConnect")).rejects.toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  const plain = connect(intruder.reach());
  plain.on("error", () => undefined);
  const answers: Buffer[] = [];
  plain.on("data", (bytes) => answers.push(bytes));
  plain.write(
    `GET /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${await coordinator.token("sink")}\r\n\r\n`,
  );
  await once(plain, "close");
  // At most an alert of TLS.
  expect(Buffer.concat(answers).length).toBeLessThanOrEqual(7);
});
