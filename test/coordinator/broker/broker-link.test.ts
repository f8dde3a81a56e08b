import { describe, expect, onTestFinished, test } from "vitest";
import { BrokerLink } from "../../../src/coordinator/broker/broker-link.ts";
import { EventLog } from "../../../src/coordinator/views/event-log.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { Transport, TransportMessage } from "../../../src/transport/transport.ts";
import { createMemoryBroker } from "../../helpers/transports/memory-broker.ts";
import { EventReader } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";

const { signal } = new AbortController();

function linkOf(connect: () => Promise<Transport>) {
  const clock = new ManualClock();
  const log = new EventLog();
  const link = new BrokerLink({
    connect,
    shown: "nats://b:4222",
    clock,
    random: { ...systemRandom, fraction: () => 0 },
    emit: (event) => log.emit(event),
    quiet: false,
  });
  onTestFinished(() => link.close());
  return { link, clock, events: new EventReader(log) };
}

describe("BrokerLink", () => {
  test("says that the broker is unreachable, and why, and goes on until it is reached", async () => {
    const broker = createMemoryBroker();
    let attempts = 0;
    const { link, clock, events } = linkOf(async () => {
      attempts += 1;
      if (attempts < 3) throw new FanfoldError("broker-unreachable", `no answer ${attempts}`);
      return broker.connect();
    });
    link.open();
    const told: string[] = [];
    const early = link.reached(signal, ({ message }) => told.push(message));
    for (const attempt of [1, 2]) {
      const event = await events.until("broker", ({ status }) => status === "unreachable");
      expect(event).toMatchObject({ broker: "nats://b:4222", reason: expect.stringContaining(`no answer ${attempt}`) });
      await clock.sleeping(500);
      clock.advance(500);
    }
    await events.until("broker", ({ status }) => status === "connected");
    await early;
    expect(told).toEqual(["no answer 1", "no answer 2"]);
    await link.reached(signal, ({ message }) => told.push(message));
    expect(told.length).toBe(2);
  });

  test("says the same thing once in each outage, however often it tries, and why the broker cannot be used", async () => {
    const broker = createMemoryBroker();
    const answers = ["refused", "refused", "no answer", "refused", undefined, "refused", "refused", undefined];
    let transport: Transport | undefined;
    const { link, clock, events } = linkOf(async () => {
      const answer = answers.shift();
      if (answer !== undefined) throw new FanfoldError("broker-unreachable", answer);
      transport = broker.connect();
      return transport;
    });
    const said: string[] = [];
    const listen = async (): Promise<void> => {
      const { status, reason } = await events.until("broker");
      said.push(reason === undefined ? status : `${status}: ${reason}`);
      if (status !== "connected") await listen();
    };
    const tryAgain = async (times: number): Promise<void> => {
      for (; times > 0; times -= 1) {
        await clock.sleeping(500);
        clock.advance(500);
      }
    };
    expect(link.trouble).toBe("The broker at nats://b:4222 cannot be used: it was not reached yet");
    link.open();
    await tryAgain(2);
    expect(link.trouble).toBe("The broker at nats://b:4222 cannot be used: refused");
    await tryAgain(2);
    await listen();
    expect(link.trouble).toBeUndefined();
    await transport?.close();
    await tryAgain(3);
    await listen();
    expect(said).toEqual([
      ...["connecting", "unreachable: refused", "unreachable: no answer", "connected"],
      ...["lost: the connection was closed", "unreachable: refused", "connected"],
    ]);
  });

  test("hands over what is published on a subject, also after the transport was lost and made again", async () => {
    const broker = createMemoryBroker();
    const transports: Transport[] = [];
    const { link, clock, events } = linkOf(async () => {
      const transport = broker.connect();
      transports.push(transport);
      return transport;
    });
    const received: string[] = [];
    let arrived = () => {};
    const next = () =>
      new Promise<void>((resolve) => {
        arrived = resolve;
      });
    const watch = link.watch("fanfold.s.up.*", ({ payload }: TransportMessage) => {
      received.push(Buffer.from(payload).toString());
      arrived();
    });
    link.open();
    await events.until("broker", ({ status }) => status === "connected");
    const publisher = broker.connect();
    let first = next();
    await publisher.publish("fanfold.s.up.a", Buffer.from("one"), { signal });
    await first;
    await transports[0]?.close();
    expect(await events.until("broker", ({ status }) => status === "lost")).toMatchObject({ broker: "nats://b:4222" });
    await clock.sleeping(500);
    clock.advance(500);
    await events.until("broker", ({ status }) => status === "connected");
    first = next();
    await publisher.publish("fanfold.s.up.a", Buffer.from("two"), { signal });
    await first;
    watch[Symbol.dispose]();
    expect(await publisher.publish("fanfold.s.up.a", Buffer.from("three"), { signal })).toBeUndefined();
    expect(received).toEqual(["one", "two"]);
  });

  test("closes while it still tries, and ends those who wait", async () => {
    const { link, events } = linkOf(async () => {
      throw new FanfoldError("broker-unreachable", "no answer");
    });
    link.open();
    await events.until("broker", ({ status }) => status === "unreachable");
    const gone = new AbortController();
    const told: string[] = [];
    const waiting = link.reached(gone.signal, ({ message }) => told.push(message));
    expect(told).toEqual(["no answer"]);
    gone.abort(new FanfoldError("closed", "went away"));
    await expect(waiting).rejects.toMatchObject({ code: "closed" });
    await link.close();
    await link.close();
  });
});
