import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answers } from "../../helpers/brokers/broker-process.ts";
import type { TestBroker } from "../../helpers/brokers/broker-types.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongFile, makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";

export const SECRET = "s3cret-of-the-broker";

/** What may be wrong with a broker, the same for each kind. Its user and password are `guest`. */
export function brokerTrouble(name: string, start: () => Promise<TestBroker>): void {
  describe(`trouble with ${name}`, () => {
    let broker: TestBroker;
    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker.stop());

    test("a wrong password is said to be wrong, and never shown", { timeout: E2E_MS }, async () => {
      await using lab = await CliLab.open();
      makeManyFiles(lab.path("source"), 1);
      const url = broker.url.replace("guest:guest@", `guest:${SECRET}@`);
      const { address, process: coordinator } = await lab.coordinator({ broker: url, args: ["--verbose"] });
      const denied = await coordinator.event("broker", { where: ({ status }) => status === "unreachable" });
      expect(denied.reason).toMatch(/credentials|password|denied|refused the/i);
      const sink = lab.sink(address, lab.path("sink"), ["--verbose"]);
      const plain = lab.start(["coordinator", "--port", "0", "--broker", url, "--state-dir", lab.path("plain")], {
        plain: true,
      });
      await plain.says(/broker/i);
      for (const process of [coordinator, sink, plain] as const) {
        process.signal("SIGTERM");
        expect(await process.exit()).toBe(143);
        expectNoSecret(process, SECRET);
      }
    });

    test("credentials from a file work as those in the URL", { timeout: E2E_MS }, async () => {
      await using lab = await CliLab.open();
      makeManyFiles(lab.path("source"), 5);
      const file = lab.path("credentials");
      writeFileSync(file, "guest:guest\n", { mode: 0o600 });
      const args = ["--broker-credentials", file];
      const url = broker.url.replace("guest:guest@", "");
      const { address, process: coordinator } = await lab.coordinator({ broker: url, args });
      await copyAndCompare(lab, { address, from: lab.path("source"), to: [lab.path("sink")] });
      expectNoSecret(coordinator, "guest:guest");
    });

    test("a broker that is killed in mid-copy and comes back is repaired after, and every copy proven", {
      timeout: E2E_MS,
    }, async () => {
      await using lab = await CliLab.open();
      const from = lab.path("source");
      makeManyFiles(from, 500);
      makeLongFile(`${from}/large`, 96);
      const { address } = await lab.coordinator({ broker: broker.url });
      const { source, sinks } = startCopy(lab, {
        address,
        from,
        to: [lab.path("one"), lab.path("two")],
        sourceArgs: ["--bwlimit", "4M"],
      });
      await source.event("progress", { where: ({ progress }) => progress.bytesDone > 8 * 1024 * 1024 });
      await broker.kill();
      await source.event("transport", { where: ({ status }) => status === "disconnected" });
      await broker.restart();
      await source.event("transport", { where: ({ status }) => status === "reconnected" });
      await lab.unlimit(address);
      const summary = await expectProven(source, sinks);
      expect(summary.bytesSentAgain).toBeLessThan(summary.bytesSent);
      for (const folder of ["one", "two"]) await expectCopy(from, lab.path(folder));
    });

    test("a coordinator whose broker is absent says so and goes on when it comes", { timeout: E2E_MS }, async () => {
      await using lab = await CliLab.open();
      const from = lab.path("source");
      makeManyFiles(from, 20);
      await broker.kill();
      await expect(answers(broker.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      const { address, process: coordinator } = await lab.coordinator({ broker: broker.url });
      const absent = await coordinator.event("broker", { where: ({ status }) => status === "unreachable" });
      expect(absent.broker).toContain(`127.0.0.1:${broker.port}`);
      expect(absent.reason).toMatch(/nothing listens there/);
      // Clients may be there already; they wait, are told for what, and lose nothing. Who does not want to wait does not.
      // Long enough for a busy machine to get as far as the coordinator.
      const brief = ["--connect-timeout", "20s"];
      const inHaste = [
        lab.source(address, from, brief),
        lab.sink(address, lab.path("hasty"), [...brief, "--stay"]),
      ] as const;
      for (const hasty of inHaste) {
        expect(await hasty.exit()).toBe(6);
        expect(await hasty.failure()).toMatchObject({ code: "broker-unreachable" });
        expect(hasty.stderr).toContain(`127.0.0.1:${broker.port}`);
      }
      // On a busy machine a broker takes longer to come up than a source waits when it is not told otherwise.
      const sourceArgs = ["--connect-timeout", "3m"];
      const { source, sinks } = startCopy(lab, { address, from, to: [lab.path("sink")], sourceArgs });
      const held = [await source.event("held"), ...(await Promise.all(sinks.map((sink) => sink.event("held"))))];
      for (const { reason } of held) expect(reason).toMatch(/nothing listens there/);
      await broker.restart();
      await coordinator.event("broker", { where: ({ status }) => status === "connected" });
      await expectProven(source, sinks);
      await expectCopy(from, lab.path("sink"));
      for (const process of [coordinator, source, ...sinks] as const) expectNoSecret(process, "guest:guest");
    });
  });
}

export function expectNoSecret(process: { readonly stdout: string; readonly stderr: string }, secret: string): void {
  expect(process.stdout + process.stderr).not.toContain(secret);
}
