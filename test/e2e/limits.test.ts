import { describe, expect, test } from "vitest";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import { shareRabbit } from "../helpers/brokers/shared-rabbit.ts";
import { startTcpProxy, type TcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab, COMMAND } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";
import { startGuarded } from "./access/guarded.ts";
import { E2E_MS, expectCopy, expectProven } from "./copying.ts";

const MIB = 1024 * 1024;
/** A limited sink beside others is detached after about 20 s. */
const TEST_MS = 2 * E2E_MS;

/** A bucket that leaks at a rate: the most that was ever in it is the most that came in any time beyond the rate. */
class RateWatch {
  readonly #bytesPerMs: number;
  #sawMs = 0;
  #beyondBytes = 0;
  mostBeyondBytes = 0;

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  saw(bytes: number, nowMs: number): void {
    this.#beyondBytes = Math.max(0, this.#beyondBytes - (nowMs - this.#sawMs) * this.#bytesPerMs) + bytes;
    this.#sawMs = nowMs;
    this.mostBeyondBytes = Math.max(this.mostBeyondBytes, this.#beyondBytes);
  }
}

interface WatchedSink extends AsyncDisposable {
  readonly watch: RateWatch;
  readonly proxy: TcpProxy;
}

/** A way to a port on which all that comes from there is counted. */
async function watched(port: number, bytesPerSecond: number): Promise<WatchedSink> {
  const watch = new RateWatch(bytesPerSecond);
  const proxy = await startTcpProxy(port, "127.0.0.1", (way, bytes) => {
    if (!way.endsWith("to the target")) watch.saw(bytes.length, performance.now());
  });
  return { watch, proxy, [Symbol.asyncDispose]: () => proxy.close() };
}

/** Runs `fanfold limit` at the coordinator of a state directory. */
async function limit(lab: CliLab, place: readonly string[], ...words: readonly string[]) {
  const ended = await lab.command(["limit", "--json", ...place, ...words]);
  return { ...ended, answer: JSON.parse(ended.stdout) as unknown };
}

/** What may be on its way, one frame, and what a pause gives for free; headers of the broker and pages come on top. */
const SLACK_BYTES = 3 * MIB;

interface BoundedBroker {
  readonly broker: string;
  readonly port: number;
  /** What clients are told, when they come by a port that is watched. */
  readonly through: (port: number) => string;
}

/** A sink that is held to 1 MiB a second takes no more from its broker, and gets its whole copy. */
async function expectBounded({ broker, port, through }: BoundedBroker): Promise<void> {
  await using lab = await CliLab.open();
  const from = lab.path("source");
  makeLongTree(from, { files: 2, mibEach: 6 });
  await using way = await watched(port, MIB);
  const { address } = await lab.coordinator({ broker, args: ["--broker-public-url", through(way.proxy.port)] });
  const sink = lab.sink(address, lab.path("to"), ["--bwlimit", "1M"]);
  const source = lab.source(address, from);
  await expectProven(source, [sink]);
  await expectCopy(from, lab.path("to"));
  expect(way.proxy.bytesFromTarget).toBeGreaterThan(12 * MIB);
  expect(way.watch.mostBeyondBytes).toBeLessThan(SLACK_BYTES);
}

describe.concurrent("a sink with --bwlimit", { timeout: TEST_MS }, () => {
  test("takes no more from the relay than its rate, from the first byte on", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeLongTree(from, { files: 2, mibEach: 6 });
    const { address } = await lab.coordinator();
    await using way = await watched(Number(address.split(":").at(-1)), MIB);
    const sink = lab.sink(`127.0.0.1:${way.proxy.port}`, lab.path("to"), ["--bwlimit", "1M"]);
    const source = lab.source(address, from);
    await expectProven(source, [sink]);
    await expectCopy(from, lab.path("to"));
    expect(way.proxy.bytesFromTarget).toBeGreaterThan(12 * MIB);
    expect(way.watch.mostBeyondBytes).toBeLessThan(SLACK_BYTES);
  });

  test.skipIf(!brokersAvailable("nats"))("takes no more from NATS than its rate", async () => {
    await using broker = await stoppable(startNats());
    const port = Number(new URL(broker.url).port);
    await expectBounded({ broker: broker.url, port, through: (way) => `nats://127.0.0.1:${way}` });
  });

  test.skipIf(!brokersAvailable("rabbit"))("takes no more from RabbitMQ than its rate", async () => {
    await using broker = await stoppable(shareRabbit());
    const { rootUrl, port, vhost } = broker;
    await expectBounded({ broker: rootUrl, port, through: (way) => `amqp://guest:guest@127.0.0.1:${way}/${vhost}` });
  });

  test("beside others gets a lane when it holds them for too long, and is caught up at its own rate", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    makeLongTree(from, { files: 4, mibEach: 12 });
    const { address, process: coordinator } = await lab.coordinator();
    const words = ["--name", "limited", "--bwlimit", "00:00,1M 12:00,1M"];
    const limited = lab.sink(address, lab.path("limited"), words);
    const free = lab.sink(address, lab.path("free"), ["--name", "free"]);
    const source = lab.source(address, from, ["--dest-count", "2"]);
    await source.event("sinkstate", { where: ({ name, state }) => name === "limited" && state === "detached" });
    const { outcome } = await source.event("sink");
    expect(outcome.name).toBe("free");
    await expectProven(source, [limited, free]);
    for (const name of ["limited", "free"]) await expectCopy(from, lab.path(name));
    await coordinator.event("session", {
      where: ({ view }) =>
        view.sinks.some(
          ({ name, state, limit }) => name === "limited" && state === "detached" && limit?.from === "timetable",
        ),
    });
  });
});

describe.concurrent("orders while a session runs", { timeout: TEST_MS }, () => {
  test("hold and free a source and a sink, and everybody's view says so", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeLongTree(from, { files: 2, mibEach: 12 });
    const state = lab.path("state");
    const { address, process: coordinator } = await lab.coordinator({ args: ["--state-dir", state] });
    const place = ["--state-dir", state];
    const sink = lab.sink(address, lab.path("to"), ["--name", "alpha"]);
    // At this rate it would take more than an hour.
    const source = lab.source(address, from, ["--bwlimit", "4K"]);
    await source.event("progress");
    const shown = await limit(lab, place);
    expect(shown.answer).toMatchObject({
      sessions: [
        {
          session: "default",
          limit: { bytesPerSecond: 4096, from: "option" },
          sinks: [{ name: "alpha", state: "receiving" }],
        },
      ],
    });
    expect((await limit(lab, place, "--sink", "alpha", "20M")).answer).toMatchObject({
      sink: "alpha",
      told: true,
    });
    await sink.event("limit", { where: ({ limit: now }) => now?.bytesPerSecond === 20 * MIB && now.from === "order" });
    await source.event("progress", {
      where: ({ sinks }) => sinks.some(({ limit: now }) => now?.bytesPerSecond === 20 * MIB),
    });
    await limit(lab, place, "default", "off");
    await source.event("limit", { where: ({ limit: now }) => now?.bytesPerSecond === null });
    await coordinator.event("session", {
      where: ({ view }) => view.limit?.from === "order" && view.sinks[0]?.limit?.from === "order",
    });
    await expectProven(source, [sink]);
    await expectCopy(from, lab.path("to"));
  });

  test("go with the session, and a sink that stays goes by its own option again", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeLongTree(from, { files: 1, mibEach: 8 });
    const state = lab.path("state");
    const { address, process: coordinator } = await lab.coordinator({ args: ["--state-dir", state] });
    const sink = lab.sink(address, lab.path("to"), ["--stay", "--name", "alpha", "--bwlimit", "1K"]);
    await coordinator.event("session", { where: ({ view }) => view.sinks[0]?.limit?.bytesPerSecond === 1024 });
    // It waits for a source yet.
    await limit(lab, ["--state-dir", state], "--sink", "alpha", "off");
    await sink.event("limit", { where: ({ limit: now }) => now?.from === "order" && now.bytesPerSecond === null });
    const source = lab.source(address, from);
    expect(await source.exit(), source.shown()).toBe(0);
    await sink.event("limit", { nth: 2, where: ({ limit: now }) => now?.from === "option" });
    await coordinator.event("session", {
      where: ({ view }) =>
        view.state === "waiting" && view.source === undefined && view.sinks[0]?.limit?.from === "option",
      nth: 2,
    });
  });

  test("are refused to an observer, and with words where they make no sense", async () => {
    await using lab = await CliLab.open("open");
    const guarded = await startGuarded(lab);
    const sink = lab.sink(guarded.address, lab.path("to"), ["--name", "alpha"], {
      env: { FANFOLD_TOKEN: await guarded.token("sink") },
    });
    await sink.event("waiting");
    const order = ["--state-dir", guarded.stateDir, "--role", "observer"];
    const created = await lab.command(["token", "create", "--json", ...order]);
    const { token } = JSON.parse(created.stdout) as { readonly token: string };
    const ask = async (...words: readonly string[]) => {
      const asked = lab.run<{ readonly type: never }>(
        process.execPath,
        [COMMAND, "limit", "--json", "--coordinator", guarded.address, ...words],
        { env: { FANFOLD_TOKEN: token } },
      );
      return { status: await asked.exit(), answer: asked.events.at(-1) };
    };
    expect(await ask()).toMatchObject({ status: 0, answer: { sessions: [{ sinks: [{ name: "alpha" }] }] } });
    expect(await ask("--sink", "alpha", "1M")).toMatchObject({ answer: { code: "token-role" } });
    const place = ["--state-dir", guarded.stateDir];
    const refusals: readonly (readonly [words: readonly string[], code: string, text: string])[] = [
      [["default", "--sink", "nobody", "1M"], "member-unknown", "no sink of this name"],
      [["default", "1M"], "member-unknown", "no source takes part"],
      [["nowhere", "1M"], "usage", 'cannot find the session "nowhere": there are: default'],
      [["default", "1e99M"], "usage", 'cannot read the limit "1e99M": want a rate from 1K'],
      [["default", "08:00,1M\n\u001b[31m"], "usage", "cannot read the limit"],
      [["default", `${"00:00,1M ".repeat(200)}`], "usage", "at most 1024 characters"],
    ];
    for (const [words, code, text] of refusals) {
      const refused = await limit(lab, place, ...words);
      expect(refused.answer, words.join(" ")).toMatchObject({ code, message: expect.stringContaining(text) });
      expect(refused.stdout + refused.stderr).not.toContain("\u001b");
    }
    expect((await limit(lab, place)).answer).toMatchObject({ sessions: [{ sinks: [{ name: "alpha" }] }] });
    expect(sink.events.some(({ type }) => type === "limit")).toBe(false);
  });
});

async function stoppable<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T & AsyncDisposable> {
  const started = await starting;
  return Object.assign(started, { [Symbol.asyncDispose]: () => started.stop() });
}
