import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { expect, test } from "vitest";
import { startTcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { copyAndCompare, E2E_MS, expectCopy, expectProven } from "./copying.ts";

const MIB = 1024 * 1024;
const BYTES = 96 * MIB;
/** Of a sink's link. */
const SLOW = 6 * MIB;

test("the only large file that changed goes by its recipe over a slow link, without being told to", {
  timeout: E2E_MS,
}, async () => {
  // On an open coordinator no frame leaves the machine, and no recipe is made.
  await using lab = await CliLab.open("guarded");
  const [from, to] = [lab.path("source"), lab.path("sink")];
  mkdirSync(from);
  writeFileSync(`${from}/image`, randomBytes(BYTES));
  const { address } = await lab.coordinator();
  await copyAndCompare(lab, { address, from, to: [to] });
  const fd = openSync(`${from}/image`, "r+");
  for (let at = 0; at < BYTES; at += 16 * MIB) writeSync(fd, randomBytes(4096), 0, 4096, at);
  closeSync(fd);

  const proxy = await startTcpProxy(Number(address.split(":").at(-1)));
  try {
    proxy.throttle(SLOW);
    const sink = lab.sink(`127.0.0.1:${proxy.port}`, to);
    const summary = await expectProven(lab.source(address, from, ["--compress", "off"]), [sink]);
    await expectCopy(from, to);
    expect(summary.bytesSent).toBeLessThan(MIB);
    expect(summary.bytesSent + summary.bytesKept).toBe(BYTES);
  } finally {
    await proxy.close();
  }
});
