import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { SEAL_SECRET_BYTES } from "../../src/protocol/seal/seal-keys.ts";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectCopy, expectProven } from "../e2e/copying.ts";
import { givenKey } from "../e2e/sealing/age-lab.ts";
import type { TestBroker } from "../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import type { ScopedRabbit } from "../helpers/brokers/scoped-rabbit.ts";
import { shareRabbit } from "../helpers/brokers/shared-rabbit.ts";
import { startTcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { type BrokerSpy, spyAtNats, spyAtRabbit } from "./broker-spy.ts";
import { CONTENT, everyForm, FILE_BYTES, makeCanaryTree, TREE_TEXTS } from "./canaries.ts";
import { Capture } from "./capture.ts";

/** The tree's names and content, in every form. */
const CANARIES: Readonly<Record<string, readonly Buffer[]>> = {
  ...Object.fromEntries(Object.entries(TREE_TEXTS).map(([name, text]) => [name, everyForm(text)])),
  content: CONTENT.flatMap(everyForm),
};

function found({ heard }: BrokerSpy): string[] {
  const all = [...heard.values()].map((payloads) => Buffer.concat(payloads));
  return Object.keys(CANARIES)
    .filter((name) => CANARIES[name]?.some((form) => all.some((bytes) => bytes.includes(form))))
    .sort();
}

interface Tapped {
  readonly broker: string;
  readonly spy: BrokerSpy;
  readonly seal?: "auto" | "off";
  readonly compress?: string;
  /** The secret does not pass through the coordinator. */
  readonly forRecipients?: boolean;
}

/** A session of a source and two sinks before the eyes of a spy at their broker. */
async function copyBefore({ broker, spy, seal = "auto", compress = "auto", forRecipients }: Tapped): Promise<void> {
  await using lab = await CliLab.open("guarded");
  const { address } = await startGuarded(lab, { broker });
  const from = lab.path("source");
  makeCanaryTree(from);
  const to = ["one", "two"].map((name) => lab.path(name));
  const key = forRecipients === true ? await givenKey(lab, "sinks") : undefined;
  const sinks = to.map((folder) => lab.sink(address, folder, key?.sinkArgs));
  const joined = await Promise.all(sinks.map((sink) => sink.event("joined")));
  await Promise.all(sinks.map((sink) => sink.event("waiting")));
  await spy.follow(joined[0]?.sessionId ?? "");
  const source = lab.source(address, from, [
    ...["--dest-count", "2", "--seal", seal, "--compress", compress],
    ...(key?.sourceArgs ?? []),
  ]);
  await expectProven(source, sinks);
  for (const folder of to) await expectCopy(from, folder);
  const { sealed, recipients } = await source.event("started");
  expect([sealed, recipients]).toEqual([seal === "off" ? undefined : true, key && 1]);
  const bytes = (what: string) =>
    [...spy.heard]
      .filter(([subject]) => subject.includes(what))
      .flatMap(([, payloads]) => payloads)
      .reduce((sum, { length }) => sum + length, 0);
  // It has heard all of the tree, and both sinks.
  expect(bytes(".data")).toBeGreaterThan(FILE_BYTES);
  expect([...spy.heard.keys()].filter((subject) => subject.includes(".up."))).toHaveLength(2);
}

/** In how many payloads a spy finds what opens a session, which a coordinator without TLS lets slip. */
async function keysFound({ broker, spy }: Pick<Tapped, "broker" | "spy">): Promise<number> {
  await using lab = await CliLab.open("open");
  const { address } = await lab.coordinator({ broker });
  const capture = new Capture();
  const proxy = await startTcpProxy(Number(address.split(":").at(-1)), "127.0.0.1", capture.saw);
  onTestFinished(() => proxy.close());
  const [from, to] = [lab.path("source"), lab.path("sink")];
  makeCanaryTree(from);
  const sink = lab.sink(`http://127.0.0.1:${proxy.port}`, to);
  const { sessionId } = await sink.event("joined");
  await sink.event("waiting");
  await spy.follow(sessionId);
  await expectProven(lab.source(address, from, ["--seal", "on"]), [sink]);
  await expectCopy(from, to);
  const forms = everyForm(capture.secret);
  expect(capture.secret).toHaveLength(SEAL_SECRET_BYTES);
  const all = [...spy.heard.values()].map((payloads) => Buffer.concat(payloads));
  expect(all.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(FILE_BYTES);
  return all.filter((bytes) => forms.some((form) => bytes.includes(form))).length;
}

describe.skipIf(!brokersAvailable("nats"))("who has all rights at a NATS server", { timeout: E2E_MS }, () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startNats({ user: "fanfold", password: "secret" });
  });
  afterAll(() => broker.stop());

  test.each([false, true])(
    "finds no name and no content in a session that may leave the machine, for recipients: %s",
    async (forRecipients) => {
      await using spy = await spyAtNats(broker.url);
      await copyBefore({ broker: broker.url, spy, forRecipients });
      expect(found(spy)).toEqual([]);
    },
  );

  test("finds no key", async () => {
    await using spy = await spyAtNats(broker.url);
    expect(await keysFound({ broker: broker.url, spy })).toBe(0);
  });

  test.each(["on", "off"])("finds all of them with --seal off and --compress %s", async (compress) => {
    await using spy = await spyAtNats(broker.url);
    await copyBefore({ broker: broker.url, spy, seal: "off", compress });
    expect(found(spy)).toEqual(Object.keys(CANARIES).sort());
  });
});

describe.skipIf(!brokersAvailable("rabbit"))("who has all rights at RabbitMQ", { timeout: E2E_MS }, () => {
  let broker: ScopedRabbit;
  beforeAll(async () => {
    broker = await shareRabbit();
  });
  afterAll(() => broker.stop());

  test("finds no key", async () => {
    await using spy = await spyAtRabbit(broker);
    expect(await keysFound({ broker: broker.rootUrl, spy })).toBe(0);
  });

  test.each([
    ["on", false],
    ["off", true],
  ])(
    "finds no name and no content in a session with --compress %s, for recipients: %s",
    async (compress, forRecipients) => {
      await using spy = await spyAtRabbit(broker);
      await copyBefore({ broker: broker.rootUrl, spy, compress, forRecipients });
      expect(found(spy)).toEqual([]);
    },
  );
});
