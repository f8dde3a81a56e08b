import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePorts } from "../free-ports.ts";
import { answers, ServerProcess, tempFolder } from "./broker-process.ts";
import type { NatsCluster, NatsNode, NatsOptions, RabbitBroker, RabbitOptions, TestBroker } from "./broker-types.ts";

const HOST = "127.0.0.1";
const AMQP_HELLO = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");
/** Debian's programs on the PATH change user and folders; the ones behind them do as they are told. */
const RABBIT_FOLDERS = ["/usr/lib/rabbitmq/bin"];

export function findProgram(name: string): string | undefined {
  const { PATH = "" } = process.env;
  const folders = [...(name.startsWith("rabbitmq") ? RABBIT_FOLDERS : []), ...PATH.split(delimiter)];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`The program ${name} is not installed`);
  return path;
}

/** One server for each options, in one cluster. */
export async function startNatsClusterPrograms(options: readonly NatsOptions[]): Promise<NatsCluster> {
  const ports = await freePorts(options.length);
  const routes = ports.map((port) => `nats-route://${HOST}:${port}`).join(", ");
  const nodes = await Promise.all(
    options.map((own, index) =>
      startNatsProgram(own, `cluster { name: fanfold, listen: "${HOST}:${ports[index]}", routes: [${routes}] }`),
    ),
  );
  // A server tells its clients of the others once it knows them.
  for (const { adminUrl } of nodes) await untilRouted(adminUrl, options.length - 1);
  return {
    nodes,
    url: nodes.map(({ url }) => url).join(","),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

async function untilRouted(adminUrl: string, others: number): Promise<void> {
  const deadline = performance.now() + 80_000;
  for (;;) {
    const { routes } = (await (await fetch(`${adminUrl}/routez`)).json()) as {
      routes: readonly { remote_id: string }[] | null;
    };
    if (new Set(routes?.map(({ remote_id: id }) => id)).size >= others) return;
    if (performance.now() > deadline) throw new Error(`The cluster of ${adminUrl} did not form`);
    await delay(50);
  }
}

export async function startNatsProgram(options: NatsOptions, cluster = ""): Promise<NatsNode> {
  const folder = await tempFolder("nats");
  const [port = 0, adminPort = 0] = await freePorts(2);
  const [configFile, pidFile] = [join(folder.path, "nats.conf"), join(folder.path, "pid")];
  const extra = [`pid_file: ${JSON.stringify(pidFile)}`, cluster];
  await writeFile(configFile, [natsConfig(options, { port, adminPort }), ...extra].join("\n"));
  const server = new ServerProcess({
    program: program("nats-server"),
    args: ["-c", configFile],
    logFile: join(folder.path, "log"),
    probe: () => answers(port),
  });
  await server.start();
  return {
    url: `nats://${natsUserInfo(options)}${HOST}:${port}`,
    port,
    adminUrl: `http://${HOST}:${adminPort}`,
    ...controls(server),
    lameDuck: async () => void process.kill(Number(await readFile(pidFile, "utf8")), "SIGUSR2"),
    stop: async () => {
      await server.end();
      await folder.remove();
    },
  };
}

export function natsConfig(
  options: NatsOptions,
  ports: { readonly port: number; readonly adminPort: number },
  host = HOST,
): string {
  const user =
    options.user === undefined
      ? undefined
      : `user: ${JSON.stringify(options.user)}, password: ${JSON.stringify(options.password ?? "")}`;
  return [
    `listen: "${host}:${ports.port}"`,
    `http: "${host}:${ports.adminPort}"`,
    options.maxPayloadBytes === undefined ? "" : `max_payload: ${options.maxPayloadBytes}`,
    options.maxPendingBytes === undefined ? "" : `max_pending: ${options.maxPendingBytes}`,
    options.writeDeadlineMs === undefined ? "" : `write_deadline: "${options.writeDeadlineMs}ms"`,
    options.token === undefined ? "" : `authorization { token: ${JSON.stringify(options.token)} }`,
    user === undefined
      ? ""
      : `authorization { users = [ { ${user}, permissions: { ${options.permissions ?? 'publish: ">", subscribe: ">"'} } } ] }`,
    options.config ?? "",
  ].join("\n");
}

export function natsUserInfo({ user, password, token }: NatsOptions): string {
  if (token !== undefined) return `${encodeURIComponent(token)}@`;
  return user === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`;
}

export async function startRabbitProgram(options: RabbitOptions): Promise<RabbitBroker> {
  const folder = await tempFolder("rabbit");
  const [port = 0, adminPort = 0, distPort = 0, epmdPort = 0, tlsPort = 0] = await freePorts(5);
  const env = await rabbitEnvironment(folder.path, { port, adminPort, distPort, epmdPort, tlsPort }, options);
  // Its own port mapper: the common one would outlive the test.
  const epmd = new ServerProcess({
    program: program("epmd"),
    args: ["-port", String(epmdPort), "-address", HOST],
    logFile: join(folder.path, "epmd.log"),
    // Asks for the names of the nodes.
    probe: () => answers(epmdPort, Buffer.from([0, 1, 110])),
  });
  const server = new ServerProcess({
    program: program("rabbitmq-server"),
    args: [],
    env,
    logFile: join(folder.path, "rabbit.log"),
    probe: () => rabbitReady(port, adminPort),
  });
  await epmd.start();
  await server.start();
  return {
    url: `amqp://guest:guest@${HOST}:${port}`,
    port,
    tlsPort,
    adminUrl: `http://${HOST}:${adminPort}`,
    ...controls(server),
    ctl: async (...args) => (await promisify(execFile)(program("rabbitmqctl"), args, { env })).stdout,
    stop: async () => {
      await server.end();
      await epmd.end();
      await folder.remove();
    },
  };
}

/** The broker takes connections, and its management interface knows its own state. */
export async function rabbitReady(port: number, adminPort: number): Promise<void> {
  await answers(port, AMQP_HELLO);
  const headers = { authorization: `Basic ${btoa("guest:guest")}` };
  const response = await fetch(`http://${HOST}:${adminPort}/api/overview`, { headers });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`The management interface answers ${response.status}`);
}

/** The lines of its configuration that the options ask for. */
export function rabbitConfig({ config = "", tls }: RabbitOptions, tlsListener: string): string {
  if (tls === undefined) return config;
  const verify = tls.asksForCertificate === true ? "verify_peer" : "verify_none";
  return [
    config,
    `listeners.ssl.1 = ${tlsListener}`,
    `ssl_options.cacertfile = ${tls.authority}`,
    `ssl_options.certfile = ${tls.certificate}`,
    `ssl_options.keyfile = ${tls.key}`,
    `ssl_options.verify = ${verify}`,
    `ssl_options.fail_if_no_peer_cert = ${tls.asksForCertificate === true}`,
  ].join("\n");
}

export function rabbitPlugins({ plugins = [] }: RabbitOptions): string {
  return `[${["rabbitmq_management", ...plugins].join(",")}].\n`;
}

type RabbitPorts = Readonly<Record<"port" | "adminPort" | "distPort" | "epmdPort" | "tlsPort", number>>;

async function rabbitEnvironment(
  folder: string,
  ports: RabbitPorts,
  options: RabbitOptions,
): Promise<NodeJS.ProcessEnv> {
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const { PATH } = process.env;
  const config = [
    `listeners.tcp.1 = ${HOST}:${ports.port}`,
    `management.tcp.ip = ${HOST}`,
    `management.tcp.port = ${ports.adminPort}`,
    rabbitConfig(options, `${HOST}:${ports.tlsPort}`),
  ];
  return {
    PATH,
    LANG: "C.UTF-8",
    // The Erlang cookie goes there.
    HOME: folder,
    RABBITMQ_NODENAME: `fanfold-${randomBytes(4).toString("hex")}@localhost`,
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_NODE_PORT: String(ports.port),
    RABBITMQ_DIST_PORT: String(ports.distPort),
    RABBITMQ_CONF_ENV_FILE: await file("rabbitmq-env.conf", ""),
    RABBITMQ_CONFIG_FILE: await file("rabbitmq.conf", `${config.join("\n")}\n`),
    RABBITMQ_ENABLED_PLUGINS_FILE: await file("enabled_plugins", rabbitPlugins(options)),
    // What a node that is killed writes goes with the folder.
    ERL_CRASH_DUMP: join(folder, "erl_crash.dump"),
    ERL_EPMD_PORT: String(ports.epmdPort),
    ERL_EPMD_ADDRESS: HOST,
  };
}

function controls(server: ServerProcess): Pick<TestBroker, "kill" | "pause" | "resume" | "restart"> {
  return {
    // Waits until its ports are free: who connects to a server that dies is not refused.
    kill: async (signal = "SIGKILL") => (signal === "SIGKILL" ? server.end() : server.signal(signal)),
    pause: async () => server.signal("SIGSTOP"),
    resume: async () => server.signal("SIGCONT"),
    restart: async () => {
      await server.end();
      await server.start();
    },
  };
}
