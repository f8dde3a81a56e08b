import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { subjectsOf } from "../../src/protocol/subjects.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { NatsCredentials } from "../../src/transport/target.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { bytesOf, expectCode, readerOf, text, WIDE } from "../contract/contract-tools.ts";
import { type GuardedCoordinator, startGuarded } from "../e2e/access/guarded.ts";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { type ScopedNats, startScopedNats } from "../helpers/brokers/scoped-nats.ts";
import { CliLab, COMMAND } from "../helpers/processes/cli.ts";
import { Intruder } from "./intruder.ts";

const WITHIN_MS = 120_000;

/** A guarded coordinator at a NATS server with rights, and somebody with a program of its own. */
async function scene() {
  const nats = await startScopedNats();
  onTestFinished(() => nats.stop());
  const lab = await CliLab.open("guarded");
  onTestFinished(() => lab[Symbol.asyncDispose]());
  const coordinator = await start(lab, nats);
  const intruder = await Intruder.at(coordinator);
  onTestFinished(() => intruder[Symbol.asyncDispose]());
  const connect = async (credentials: NatsCredentials): Promise<Transport> => {
    const target = { kind: "nats", url: nats.url, credentials: () => credentials } as const;
    const options = { clientName: "test", clock: systemClock, signal: AbortSignal.timeout(60_000) };
    const transport = await connectTransport(target, options);
    onTestFinished(() => transport.close());
    return transport;
  };
  /** Is let in, and has a link to the server that it never gives up. */
  const member = async (role: "source" | "sink", seed: string, token?: string) => {
    const key = new SigningKey(seed.repeat(64));
    const claim = { key, role, label: `${role}-${seed}`, token: token ?? (await coordinator.token(role)) };
    const { transport: offer, ...entered } = await intruder.join(claim);
    if (offer.kind !== "nats" || offer.credentials === undefined) throw new Error("want credentials for NATS");
    const { credentials } = offer;
    const link = await connect(credentials);
    return { ...entered, key, credentials, link };
  };
  return { nats, lab, coordinator, connect, member };
}

function start(lab: CliLab, nats: ScopedNats): Promise<GuardedCoordinator> {
  return startGuarded(lab, { broker: nats.url, args: ["--nats-seeds", nats.seedsFile] });
}

async function remove(lab: CliLab, stateDir: string, key: SigningKey): Promise<void> {
  const words = ["members", "remove", "--json", "--state-dir", stateDir, key.publicKey];
  const removal = lab.run(process.execPath, [COMMAND, ...words]);
  expect(await removal.exit(), removal.shown()).toBe(0);
}

/** The server ends the link. */
async function cut(transport: Transport): Promise<void> {
  for await (const { type } of transport.status()) if (type === "disconnected") return;
}

/** The link was lost, and stands again. */
async function back(transport: Transport): Promise<void> {
  for await (const { type } of transport.status()) if (type === "reconnected") return;
}

test.skipIf(!brokersAvailable("nats"))(
  "a removed member is cut off at the NATS server at once, stays out, and others go on",
  { timeout: WITHIN_MS },
  async () => {
    const { nats, lab, coordinator, connect, member } = await scene();
    const [source, gone, stays] = [await member("source", "1"), await member("sink", "2"), await member("sink", "3")];
    const subject = subjectsOf(source.sessionId).data;
    const [spy, reader] = [await heard(gone.link, subject), await heard(stays.link, subject)];
    await source.link.publish(subject, bytesOf("before"), WIDE);
    expect([(await spy.take(1)).map(text), (await reader.take(1)).map(text)]).toEqual([["before"], ["before"]]);
    const ended = cut(gone.link);
    const others = [source.link, stays.link].map((link) => back(link));
    await remove(lab, coordinator.stateDir, gone.key);
    expect(await gone.control.expect("refused")).toMatchObject({ code: "member-removed" });
    await ended;
    await source.link.publish(subject, bytesOf("after"), WIDE);
    expect((await reader.take(1)).map(text)).toEqual(["after"]);
    await expectCode(connect(gone.credentials), "broker-denied");
    // A server that was started again has forgotten it, until the coordinator is there again.
    await nats.restart();
    await expect
      .poll(
        () =>
          connect(gone.credentials).then(
            () => "in",
            ({ code }) => code,
          ),
        { timeout: WITHIN_MS },
      )
      .toBe("broker-denied");
    await Promise.all(others);
    await source.link.publish(subject, bytesOf("later"), WIDE);
    expect((await reader.take(1)).map(text)).toEqual(["later"]);
    await gone.link.close();
    expect(await spy.rest()).toEqual([]);
    const words = ["token", "create", "--role", "sink", "--json", "--state-dir", coordinator.stateDir];
    const made = lab.run(process.execPath, [COMMAND, ...words]);
    expect(await made.exit(), made.shown()).toBe(0);
    const { token } = JSON.parse(made.stdout) as { readonly token: string };
    const returned = await member("sink", "2", token);
    await expectCode(returned.link.subscribe(subjectsOf("s".repeat(12)).data, WIDE), "broker-denied");
    const again = await heard(returned.link, subject);
    await source.link.publish(subject, bytesOf("welcome"), WIDE);
    expect((await again.take(1)).map(text)).toEqual(["welcome"]);
  },
);

test.skipIf(!brokersAvailable("nats"))(
  "who is removed while no coordinator runs is cut off when one starts",
  { timeout: WITHIN_MS },
  async () => {
    const { nats, lab, coordinator, connect, member } = await scene();
    const [gone, stays] = [await member("sink", "2"), await member("sink", "3")];
    coordinator.process.signal("SIGTERM");
    await coordinator.process.exit();
    await remove(lab, coordinator.stateDir, gone.key);
    const ended = cut(gone.link);
    await start(lab, nats);
    await ended;
    await expectCode(connect(gone.credentials), "broker-denied");
    await connect(stays.credentials);
  },
);

async function heard(transport: Transport, subject: string) {
  return readerOf(await transport.subscribe(subject, WIDE));
}
