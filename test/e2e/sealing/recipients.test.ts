import { readdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../../helpers/brokers/brokers.ts";
import { shareRabbit } from "../../helpers/brokers/shared-rabbit.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectDocumentedEvents, expectProven, type SinkProcess } from "../copying.ts";
import { givenKey } from "./age-lab.ts";

const NOT_RECIPIENT = 37;
const INCOMPLETE = 4;

/** What is said to a sink at `--stay` that a session is not for. */
const refusals = (sink: SinkProcess): string[] =>
  sink.events.flatMap((event) => (event.type === "warning" && event.code === "not-recipient" ? [event.message] : []));

describe.each([
  ["the relay", undefined],
  ["NATS", "nats"],
  ["RabbitMQ", "rabbit"],
] as const)("over %s", (_, kind) => {
  describe.skipIf(kind !== undefined && !brokersAvailable(kind))("a copy for recipients", { timeout: E2E_MS }, () => {
    let stop: (() => unknown) | undefined;
    let broker = "embedded";
    beforeAll(async () => {
      if (kind === undefined) return;
      const started = kind === "nats" ? await startNats() : await shareRabbit();
      broker = "rootUrl" in started ? started.rootUrl : (started as TestBroker).url;
      stop = () => started.stop();
    });
    afterAll(() => stop?.());

    test("is theirs alone: others are refused by name and key, are told what to do, and get the next one", async () => {
      await using lab = await CliLab.open();
      const from = lab.path("source");
      makeManyFiles(from, 40);
      const { address } = await lab.coordinator({ broker });
      const [attic, cellar, stranger] = [
        await givenKey(lab, "attic"),
        await givenKey(lab, "cellar"),
        await givenKey(lab, "stranger"),
      ];
      const list = lab.path("recipients.txt");
      writeFileSync(list, `# all but the office\r\n${cellar.recipient}\r\n`);
      const sink = (name: string, args: readonly string[] = []) =>
        lab.sink(address, lab.path(name), ["--name", name, ...args]);
      const recipients = [sink("attic", attic.sinkArgs), sink("cellar", cellar.sinkArgs)];
      const foreign = sink("foreign", stranger.sinkArgs);
      const keyless = sink("keyless", ["--stay"]);
      for (const each of [...recipients, foreign, keyless]) await each.event("waiting");
      const args = ["--dest-count", "4", ...attic.sourceArgs, "--recipient", list];
      const source = lab.source(address, from, args);
      expect(await source.exit()).toBe(INCOMPLETE);
      for (const each of recipients) expect(await each.exit(), each.shown()).toBe(0);
      for (const name of ["attic", "cellar"]) await expectCopy(from, lab.path(name));
      expect(await source.event("started")).toMatchObject({ sealed: true, recipients: 2 });
      expect(await recipients[0]?.event("started")).toMatchObject({ sealed: true, recipients: 2 });
      const { summary } = await source.event("finished");
      const outcomes = summary.sinks.map(({ name, outcome, code }) => [name, outcome, code]);
      expect(outcomes.sort()).toEqual([
        ["attic", "proven", undefined],
        ["cellar", "proven", undefined],
        ["foreign", "failed", "not-recipient"],
        ["keyless", "failed", "not-recipient"],
      ]);
      const messageTo = (name: string) => summary.sinks.find((each) => each.name === name)?.message ?? "";
      expect(messageTo("foreign")).toContain(`"foreign" is no recipient: it has the age key ${stranger.recipient}`);
      expect(messageTo("keyless")).toContain('"keyless" is no recipient: it has no age key');

      expect(await foreign.exit()).toBe(NOT_RECIPIENT);
      expect((await foreign.failure()).message).toMatch(
        new RegExp(`encrypted for 2 age keys.*${stranger.recipient}, is not among them; .*--recipient`),
      );
      for (const name of ["foreign", "keyless"]) expect(readdirSync(lab.path(name))).toEqual([".fanfold"]);

      // It has waited, and said so once.
      await keyless.event("waiting", { nth: 2 });
      expect(refusals(keyless)).toEqual([
        expect.stringMatching(/this sink has none; "fanfold keygen" makes one.*--age-key/),
      ]);
      const next = lab.source(address, from, []);
      expect(await next.exit(), next.shown()).toBe(0);
      await keyless.event("finished");
      await expectCopy(from, lab.path("keyless"));
      keyless.signal("SIGTERM");
      await keyless.exit();
      for (const each of [source, ...recipients, foreign, keyless]) expectDocumentedEvents(each);
    });
  });
});

describe.concurrent("a sink with --age-key", { timeout: E2E_MS }, () => {
  test("takes nothing that is open, or whose secret has passed through the coordinator, and goes on to what is for it", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeManyFiles(from, 10);
    const key = await givenKey(lab, "attic");
    const { address } = await lab.coordinator();
    const attic = lab.sink(address, lab.path("attic"), ["--name", "attic", "--stay", ...key.sinkArgs]);
    for (const [nth, seal] of ["off", "on"].entries()) {
      await attic.event("waiting", { nth: nth + 1 });
      const source = lab.source(address, from, ["--seal", seal]);
      expect(await source.exit()).toBe(INCOMPLETE);
      const { summary } = await source.event("finished");
      expect(summary.sinks).toMatchObject([{ name: "attic", outcome: "failed", code: "not-recipient" }]);
      expect(summary.sinks[0]?.message).toMatch(
        new RegExp(`takes only what is encrypted.*${key.recipient}.*--recipient`),
      );
      expect(readdirSync(lab.path("attic"))).toEqual([".fanfold"]);
    }
    await attic.event("waiting", { nth: 3 });
    expect(refusals(attic)).toEqual([1, 2].map(() => expect.stringContaining(key.recipient)));
    const source = lab.source(address, from, key.sourceArgs);
    expect(await source.exit()).toBe(0);
    await attic.event("finished");
    await expectCopy(from, lab.path("attic"));
  });

  test("has a new key and an old one, and a source that encrypts for the old one only", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeManyFiles(from, 10);
    const [fresh, old] = [await givenKey(lab, "fresh"), await givenKey(lab, "old")];
    writeFileSync(fresh.file, `${fresh.secretKey}\n${old.secretKey}\n`);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"), fresh.sinkArgs);
    await expectProven(lab.source(address, from, old.sourceArgs), [sink]);
    await expectCopy(from, lab.path("sink"));
  });

  test("is not asked by a source whose options contradict each other", async () => {
    await using lab = await CliLab.open();
    const key = await givenKey(lab, "attic");
    const source = lab.source("127.0.0.1:1", lab.folder, [...key.sourceArgs, "--seal", "off"]);
    expect(await source.exit()).toBe(2);
    expect((await source.failure()).message).toContain("--recipient with --seal off");
  });
});
