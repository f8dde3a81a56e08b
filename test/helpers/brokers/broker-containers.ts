import { readFile } from "node:fs/promises";
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import { freePorts } from "../free-ports.ts";
import { natsConfig, natsUserInfo, rabbitConfig, rabbitPlugins, rabbitReady } from "./broker-programs.ts";
import type { NatsOptions, RabbitBroker, RabbitOptions, TestBroker } from "./broker-types.ts";

const NATS = { port: 4222, adminPort: 8222 };
const RABBIT = { port: 5672, adminPort: 15672, tlsPort: 5671 };
const NATS_CONFIG = "/etc/nats/fanfold-test.conf";
const STARTED_WITHIN_MS = 120_000;

export async function startNatsContainer(options: NatsOptions): Promise<TestBroker> {
  const ports = await hostPorts();
  const started = await new GenericContainer(await imageOf("nats"))
    .withCopyContentToContainer([{ content: natsConfig(options, NATS, "0.0.0.0"), target: NATS_CONFIG }])
    .withCommand(["-c", NATS_CONFIG])
    .withExposedPorts({ container: NATS.port, host: ports.port }, { container: NATS.adminPort, host: ports.adminPort })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(STARTED_WITHIN_MS)
    .start();
  return {
    url: `nats://${natsUserInfo(options)}127.0.0.1:${ports.port}`,
    port: ports.port,
    adminUrl: `http://127.0.0.1:${ports.adminPort}`,
    ...(await controls(started)),
  };
}

export async function startRabbitContainer(options: RabbitOptions): Promise<RabbitBroker> {
  const ports = await hostPorts();
  const { folder } = options;
  const started = await new GenericContainer(await imageOf("rabbitmq"))
    .withCopyDirectoriesToContainer(folder === undefined ? [] : [{ source: folder, target: folder }])
    .withCopyContentToContainer([
      { content: rabbitConfig(options, String(RABBIT.tlsPort)), target: "/etc/rabbitmq/conf.d/40-test.conf" },
      { content: rabbitPlugins(options), target: "/etc/rabbitmq/enabled_plugins" },
    ])
    .withExposedPorts(
      { container: RABBIT.port, host: ports.port },
      { container: RABBIT.adminPort, host: ports.adminPort },
      ...(options.tls === undefined ? [] : [{ container: RABBIT.tlsPort, host: ports.tlsPort }]),
    )
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(STARTED_WITHIN_MS)
    .start();
  await rabbitReady(ports.port, ports.adminPort);
  return {
    // The image opens its guest account to other addresses than the loopback one.
    url: `amqp://guest:guest@127.0.0.1:${ports.port}`,
    port: ports.port,
    tlsPort: ports.tlsPort,
    adminUrl: `http://127.0.0.1:${ports.adminPort}`,
    ...(await controls(started)),
    ctl: async (...args) => {
      const { exitCode, output, stderr } = await started.exec(["rabbitmqctl", ...args]);
      if (exitCode !== 0) throw new Error(`rabbitmqctl ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
      return output;
    },
  };
}

/** The same image that the compose file runs, so that tests and users have the same broker. */
async function imageOf(name: string): Promise<string> {
  const compose = await readFile(new URL("../../../docker-compose.yml", import.meta.url), "utf8");
  const image = new RegExp(`image:\\s*["']?(\\S*\\b${name}:[^\\s"'}]+)`).exec(compose)?.[1];
  if (image === undefined) throw new Error(`docker-compose.yml names no image of ${name}`);
  // The compose file may leave the version open: ${VARIABLE:-default}.
  return image.replaceAll(/\$\{\w+:-([^}]+)\}/g, "$1");
}

/** Fixed ports on this side, because Docker gives others after a restart. */
async function hostPorts(): Promise<Readonly<Record<"port" | "adminPort" | "tlsPort", number>>> {
  const [port = 0, adminPort = 0, tlsPort = 0] = await freePorts(3);
  return { port, adminPort, tlsPort };
}

async function controls(
  started: StartedTestContainer,
): Promise<Pick<TestBroker, "kill" | "pause" | "resume" | "restart" | "stop">> {
  const { container } = await getContainerRuntimeClient();
  const handle = container.getById(started.getId());
  return {
    kill: async (signal = "SIGKILL") => {
      await handle.kill({ signal });
    },
    pause: async () => {
      await handle.pause();
    },
    resume: async () => {
      await handle.unpause();
    },
    restart: async () => {
      await started.restart({ timeout: 0 });
    },
    stop: async () => {
      await started.stop({ timeout: 0 });
    },
  };
}
