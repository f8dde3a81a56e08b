import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock } from "../../../src/lib/clock.ts";
import { pemCertificate } from "../../../src/protocol/messages/certificates.ts";
import { subjectsOf, toSubject, upSubject } from "../../../src/protocol/subjects.ts";
import { connectTransport } from "../../../src/transport/connect.ts";
import { bytesOf, WIDE } from "../../contract/contract-tools.ts";
import { ControlClient } from "../../coordinator/control-client.ts";
import type { RabbitBroker } from "../../helpers/brokers/broker-types.ts";
import { brokersAvailable, startRabbit } from "../../helpers/brokers/brokers.ts";
import { askRabbit } from "../../helpers/brokers/rabbit-admin.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { type TestAuthority, testAuthority } from "../../helpers/tls/test-authority.ts";
import { makeLongTree, makeOddTree } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { type GuardedCoordinator, startGuarded } from "./guarded.ts";

/** A private key, or the beginning of a token for RabbitMQ. */
const SECRETS = new RegExp(`PRIVATE KEY|${Buffer.from('{"typ":"JWT","alg":"ES256"').toString("base64url")}`);

interface SetUp extends AsyncDisposable {
  readonly broker: RabbitBroker;
  /** As clients know it. */
  readonly url: string;
  /** Arguments of a coordinator. */
  readonly args: readonly string[];
}

describe.skipIf(!brokersAvailable("rabbit"))("RabbitMQ by fanfold rabbitmq-setup", { timeout: E2E_MS }, () => {
  let made: SetUp;
  beforeAll(async () => {
    made = await setUp();
  }, E2E_MS);
  afterAll(() => made[Symbol.asyncDispose]());

  test("followed line by line, carries a copy over TLS, in which nobody shows a secret", async () => {
    await using lab = await CliLab.open("guarded");
    const { broker, url, args } = made;
    const from = lab.path("source");
    await makeOddTree(from);
    const { address, process } = await lab.coordinator({ broker: url, args });
    const to = [lab.path("one"), lab.path("two")];
    const { source, sinks } = startCopy(lab, { address, from, to });
    await expectProven(source, sinks);
    for (const folder of to) await expectCopy(from, folder);
    // It heard what the sinks said, by the rights of its own.
    await process.event("session", { where: ({ view }) => view.sinks.some(({ progress }) => progress.filesDone > 0) });
    expect(process.events.filter(({ type }) => type === "warning")).toEqual([]);
    const secrets = [process, source, ...sinks].flatMap(({ stdout, stderr }) => SECRETS.exec(stdout + stderr) ?? []);
    expect(secrets).toEqual([]);
    const left = async () =>
      (await askRabbit<{ readonly name: string }[]>(broker, "exchanges/fanfold?disable_stats=true"))
        .map(({ name }) => name)
        .filter((name) => name.startsWith("fanfold."));
    await expect.poll(left, { interval: 500 }).toEqual([]);
  });

  test("gives nothing any more to a sink that is removed in mid-session, whatever it keeps open", async () => {
    await using lab = await CliLab.open();
    const { broker, url, args } = made;
    const from = lab.path("source");
    makeLongTree(from, { files: 8, mibEach: 4 });
    const coordinator = await startGuarded(lab, { args: ["--broker", url, ...args] });
    const [sinkToken, sourceToken] = [await coordinator.token("sink"), await coordinator.token("source")];
    const spy = await openSpy(coordinator, sinkToken);
    const beta = lab.sink(coordinator.address, lab.path("beta"), [], { env: { FANFOLD_TOKEN: sinkToken } });
    const slow = ["--dest-count", "2", "--bwlimit", "1M", "--sink-timeout", "1h"];
    const source = lab.source(coordinator.address, from, slow, { env: { FANFOLD_TOKEN: sourceToken } });
    await spy.heard;
    expect(await lab.command(["members", "remove", "spy", "--state-dir", coordinator.stateDir])).toMatchObject({
      status: 0,
    });
    await expect.poll(() => spy.control.closeReason).toContain("removed");
    // What was on its way arrives before the broker has answered to this.
    expect(await spy.attack(broker)).toEqual([403, 404, 404]);
    const heard = spy.count();
    await beta.event("progress", { where: ({ progress }) => progress.bytesDone > 30 * 1024 * 1024 });
    expect(await source.exit()).toBe(4);
    await spy.transport.drain(WIDE);
    expect(spy.count()).toBe(heard);
    expect(await beta.exit()).toBe(0);
    await expectCopy(from, lab.path("beta"));
  });
});

describe("fanfold rabbitmq-setup", { timeout: E2E_MS }, () => {
  test("overwrites nothing, and refuses a folder that could be more than a path", async () => {
    await using lab = await CliLab.open();
    const run = async (...args: readonly string[]) => {
      const setup = lab.start(["rabbitmq-setup", ...args], { plain: true });
      return { status: await setup.exit(), stderr: setup.stderr };
    };
    const folder = lab.path("rabbit");
    expect(await run(folder)).toMatchObject({ status: 0 });
    const before = readFileSync(lab.path("rabbit", "coordinator.key"));
    const again = await run(folder);
    expect(again.status).toBe(2);
    expect(again.stderr).toMatch(/^fanfold: cannot set up RabbitMQ in ".*": something is in it already.*\n$/);
    expect(readFileSync(lab.path("rabbit", "coordinator.key"))).toEqual(before);
    const odd = await run("--etc", "/etc/a\nloopback_users = none", lab.path("other"));
    expect([odd.status, odd.stderr]).toEqual([2, expect.stringMatching(/--etc .*absolute path/)]);
  });

  test.each([
    ["amqp://localhost", "chmod 600", 0o644, "coordinator.key"],
    ["amqp://localhost", "want a P-256 private key", 0o600, "broker/fanfold.pub.pem"],
    ["nats://localhost", "it is for RabbitMQ", 0o600, "coordinator.key"],
    ["embedded", "embedded", 0o600, "coordinator.key"],
    ["amqp://u:p@localhost", "together with a user", 0o600, "coordinator.key"],
  ])("a coordinator refuses the key with the broker %s: %s", async (broker, text, mode, name) => {
    await using lab = await CliLab.open();
    expect(await lab.start(["rabbitmq-setup", lab.path("rabbit")], { plain: true }).exit()).toBe(0);
    const key = lab.path("copied.key");
    writeFileSync(key, readFileSync(lab.path("rabbit", name)), { mode });
    const refused = lab.start(["coordinator", "--port", "0", "--broker", broker, "--rabbitmq-key", key], {
      plain: true,
    });
    expect(await refused.exit()).toBe(2);
    expect(refused.stderr).toContain(text);
  });
});

/** Runs the command, and does what it says at a broker of this machine. */
async function setUp(): Promise<SetUp> {
  const lab = await CliLab.open();
  const [folder, etc] = [lab.path("rabbit"), lab.path("etc")];
  const setup = lab.start(["rabbitmq-setup", folder, "--etc", etc], { plain: true });
  expect(await setup.exit()).toBe(0);
  const said = setup.stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(23));
  for (const line of said.filter((each) => each.startsWith("install "))) {
    const [program = "", ...words] = line.split(" ");
    expect(await lab.run(program, words, { plain: true }).exit()).toBe(0);
  }
  expect(said).toContain("rabbitmq-plugins enable --offline rabbitmq_auth_backend_oauth2");
  const authority = await testAuthority(lab.folder);
  const broker = await startRabbit({
    config: readFileSync(lab.path("etc", "conf.d", "40-fanfold.conf"), "utf8"),
    plugins: readFileSync(lab.path("rabbit", "broker", "enabled_plugins"), "utf8").match(/\w+/g) ?? [],
    folder: lab.folder,
    tls: await serverTls(authority),
  });
  for (const line of said.filter((each) => each.startsWith("rabbitmqctl "))) {
    const words = line.match(/'[^']*'|\S+/g) ?? [];
    await broker.ctl(...words.slice(1).map((word) => word.replaceAll("'", "")));
  }
  const args = ["--rabbitmq-key", `${folder}/coordinator.key`, "--broker-ca", authority.certificateFile];
  const dispose = async () => {
    await broker.stop();
    await lab[Symbol.asyncDispose]();
  };
  return { broker, url: `amqps://localhost:${broker.tlsPort}/fanfold`, args, [Symbol.asyncDispose]: dispose };
}

async function serverTls(authority: TestAuthority) {
  const { certificateFile, keyFile } = await authority.issue("server", ["DNS:localhost"]);
  return { authority: authority.certificateFile, certificate: certificateFile, key: keyFile };
}

/** A sink in the hands of the test: let in by its token, it listens to the data and does nothing else. */
async function openSpy({ port }: GuardedCoordinator, token: string) {
  const control = new ControlClient(new WebSocket(`wss://127.0.0.1:${port}/control`, { rejectUnauthorized: false }));
  onTestFinished(() => control[Symbol.dispose]());
  control.pin = token.split("_")[2] ?? "";
  control.nonce = (await control.expect("challenge")).nonce;
  control.hello("sink", { label: "spy", token });
  const { sessionId, member, transport: offer } = await control.expect("welcome");
  if (offer.kind !== "amqp" || offer.credentials === undefined) throw new Error("want credentials for RabbitMQ");
  const { url, exchange = "", credentials } = offer;
  const ca = offer.ca?.map(pemCertificate);
  const target = { kind: "amqp", url, exchange, ca, credentials: () => credentials } as const;
  const options = { clientName: "spy", clock: systemClock, signal: AbortSignal.timeout(E2E_MS) };
  const transport = await connectTransport(target, options);
  onTestFinished(() => transport.close());
  const subjects = subjectsOf(sessionId);
  const listening = await Promise.all(
    [subjects.data, toSubject(subjects, member.id)].map((subject) => transport.subscribe(subject, WIDE)),
  );
  let messages = 0;
  const waiting = Promise.withResolvers<void>();
  for (const subscription of listening)
    void (async () => {
      for await (const _ of subscription) {
        messages += 1;
        waiting.resolve();
      }
    })();
  control.ready();
  /** Over links of its own, with the credentials that it got: the code that the broker answers to each. */
  const attack = async (broker: RabbitBroker): Promise<unknown[]> => {
    const login = { username: "x", password: credentials.token, vhost: "fanfold" };
    const model = await connect({ hostname: "127.0.0.1", port: broker.port, ...login });
    model.on("error", () => undefined);
    const codes: unknown[] = [];
    for (const from of [`fanfold.${sessionId}`, exchange]) {
      const channel = await model.createChannel();
      channel.on("error", ({ code }: { readonly code?: unknown }) => codes.push(code));
      const { queue } = await channel.assertQueue("", { exclusive: true, durable: false });
      await channel.bindQueue(queue, from, subjects.data).catch(() => undefined);
    }
    const channel = await model.createConfirmChannel();
    channel.on("error", ({ code }: { readonly code?: unknown }) => codes.push(code));
    channel.publish(exchange, upSubject(subjects, member.id), Buffer.from(bytesOf("still here")));
    await channel.waitForConfirms().catch(() => undefined);
    await model.close();
    return codes;
  };
  return { control, transport, count: () => messages, heard: waiting.promise, attack };
}
