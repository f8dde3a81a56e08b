import { describe, expect, onTestFinished, test } from "vitest";
import type { NatsOptions } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats, startRabbit } from "../../helpers/brokers/brokers.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { E2E_MS } from "../copying.ts";
import { examined } from "./examined.ts";

async function natsUrl(options: NatsOptions): Promise<string> {
  const { url, stop } = await startNats(options);
  onTestFinished(stop);
  return url;
}

describe.skipIf(!brokersAvailable("nats"))("fanfold doctor at a NATS server", { timeout: E2E_MS }, () => {
  test.each([
    ["the usual limit", undefined, "ok"],
    ["a small one", 200_000, "warning"],
    ["one below that of a page", 32_000, "error"],
  ] as const)("reads its version and max_payload: %s", async (_what, maxPayloadBytes, status) => {
    await using lab = await CliLab.open("open");
    const url = await natsUrl(maxPayloadBytes === undefined ? {} : { maxPayloadBytes });
    const found = await examined(lab, ["--broker", url]);
    expect(found.of("broker").found).toMatch(/^NATS server \d+\.\d+\.\d+ at /);
    expect(found.of("broker-version").status).toBe("ok");
    expect(found.of("broker-payload").status).toBe(status);
    expect(found.status).toBe(status === "error" ? 36 : 0);
  });

  test("says that it refuses the credentials, and never prints them", async () => {
    await using lab = await CliLab.open("open");
    const url = await natsUrl({ user: "fanfold", password: "right" });
    const { of, findings } = await examined(lab, ["--broker", url.replace("right", "hushed")]);
    expect(of("broker")).toMatchObject({
      status: "error",
      todo: expect.stringContaining("check the user and password"),
    });
    expect(JSON.stringify(findings)).not.toContain("hushed");
  });
});

test("fanfold doctor says that no broker answers, and what is wrong with the options of one", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open("open");
  const port = await freePort();
  const rabbit = await examined(lab, ["--broker", `amqp://localhost:${port}`]);
  expect(rabbit.of("broker")).toMatchObject({
    status: "error",
    found: expect.stringContaining("nothing listens there"),
    todo: "check that RabbitMQ runs there and that no firewall blocks it",
  });
  const wrong = await examined(lab, ["--broker", "http://localhost"]);
  expect([wrong.of("broker").status, wrong.status]).toEqual(["error", 36]);
  const embedded = await examined(lab, ["--broker", "embedded"]);
  expect([embedded.of("broker").status, embedded.status]).toEqual(["skipped", 0]);
});

describe.skipIf(!brokersAvailable("rabbit"))("fanfold doctor at RabbitMQ", { timeout: E2E_MS }, () => {
  test("reads its version and frame_max, and tells an alarm from none", async () => {
    await using lab = await CliLab.open("open");
    const rabbit = await startRabbit();
    onTestFinished(rabbit.stop);
    const well = await examined(lab, ["--broker", rabbit.url]);
    expect(well.of("broker").found).toMatch(/^RabbitMQ \d+\.\d+/);
    expect(well.named("ok")).toEqual(expect.arrayContaining(["broker-version", "broker-payload", "broker-alarm"]));
    await rabbit.ctl("set_vm_memory_high_watermark", "0.00001");
    await expect
      .poll(async () => (await examined(lab, ["--broker", rabbit.url])).of("broker-alarm").status, { timeout: 120_000 })
      .toBe("error");
  });
});
