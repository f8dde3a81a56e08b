import { spawnSync } from "node:child_process";
import { findProgram, startNatsProgram, startRabbitProgram } from "./broker-programs.ts";
import type { NatsOptions, RabbitBroker, RabbitOptions, TestBroker } from "./broker-types.ts";

export type BrokerKind = "nats" | "rabbit";

const PROGRAMS: Readonly<Record<BrokerKind, readonly string[]>> = {
  nats: ["nats-server"],
  rabbit: ["rabbitmq-server", "rabbitmqctl", "epmd"],
};

export async function startNats(options: NatsOptions = {}): Promise<TestBroker> {
  if (wayToRun("nats") !== "containers") return await startNatsProgram(options);
  return await (await import("./broker-containers.ts")).startNatsContainer(options);
}

export async function startRabbit(options: RabbitOptions = {}): Promise<RabbitBroker> {
  if (wayToRun("rabbit") !== "containers") return await startRabbitProgram(options);
  return await (await import("./broker-containers.ts")).startRabbitContainer(options);
}

/**
 * Whether a broker of this kind can be started here: for `describe.skipIf(!brokersAvailable("nats"))`. What is missing
 * is said aloud; in CI, and with FANFOLD_REQUIRE_BROKERS=1, it is an error.
 */
export function brokersAvailable(...kinds: readonly BrokerKind[]): boolean {
  const missing = kinds.filter((kind) => wayToRun(kind) === undefined);
  if (missing.length === 0) return true;
  const programs = missing.flatMap((kind) => PROGRAMS[kind]).filter((name) => findProgram(name) === undefined);
  const text = `Broker tests: ${programs.join(", ")} not installed, and Docker does not run`;
  const { CI, FANFOLD_REQUIRE_BROKERS } = process.env;
  if (![undefined, "", "0", "false"].includes(CI) || FANFOLD_REQUIRE_BROKERS === "1") throw new Error(text);
  console.warn(`SKIPPED ${text}`);
  return false;
}

function wayToRun(kind: BrokerKind): "programs" | "containers" | undefined {
  const { FANFOLD_TEST_BROKERS } = process.env;
  if (FANFOLD_TEST_BROKERS !== "containers" && PROGRAMS[kind].every((name) => findProgram(name) !== undefined))
    return "programs";
  return dockerRuns() ? "containers" : undefined;
}

let docker: boolean | undefined;

function dockerRuns(): boolean {
  docker ??= spawnSync("docker", ["info"], { stdio: "ignore", timeout: 10_000 }).status === 0;
  return docker;
}
