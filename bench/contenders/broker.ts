import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { isLoopbackUrl, redactUrl } from "../../src/transport/broker-url.ts";
import { listeningSockets } from "./ports.ts";

export interface Broker {
  readonly url: string;
  readonly version: string;
  /** Undefined where the process that listens is not to be seen; then its share of the CPU time is missing. */
  readonly pid: number | undefined;
}

const ANSWER_MS = 2000;
const AMQP_HELLO = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");
/** What a broker is and how it introduces itself: NATS in JSON, AMQP in a table of the first frame. */
const KINDS = {
  nats: { port: 4222, hello: undefined, product: "nats-server", version: /"version":"([^"]+)"/ },
  amqp: { port: 5672, hello: AMQP_HELLO, product: "RabbitMQ", version: /versionS.{4}(\d[\w.+-]*)/s },
} as const;

/** Asks the broker at the URL who it is. Gives a sentence when nobody answers. */
export async function findBroker(kind: keyof typeof KINDS, url: string): Promise<Broker | string> {
  const first = URL.parse(url.split(",")[0] ?? "");
  if (first === null) return `"${redactUrl(url)}" is no address`;
  const { hello, product, version, ...defaults } = KINDS[kind];
  const port = Number(first.port || defaults.port);
  const said = await firstWords({ host: first.hostname.replace(/^\[|\]$/g, ""), port, hello });
  if (said === undefined) return `nobody answers at ${redactUrl(url)}`;
  return {
    url,
    version: `${product} ${version.exec(said)?.[1] ?? "of unknown version"}`,
    pid: isLoopbackUrl(url) ? listenerAt(port) : undefined,
  };
}

async function firstWords(to: {
  readonly host: string;
  readonly port: number;
  readonly hello: Buffer | undefined;
}): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const socket = connect(to.port, to.host);
    if (to.hello !== undefined) socket.write(to.hello);
    const end = (said?: string): void => {
      resolve(said);
      socket.destroy();
    };
    socket.on("data", (data) => end(data.toString("latin1")));
    socket.on("error", () => end());
    socket.on("close", () => end());
    socket.setTimeout(ANSWER_MS, () => end());
  });
}

/** The process that listens at a TCP port of this machine, as far as we may look. */
function listenerAt(port: number): number | undefined {
  const wanted = new Set(listeningSockets(port));
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (descriptorsOf(pid).some((target) => wanted.has(target))) return Number(pid);
  }
  return undefined;
}

function descriptorsOf(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  return attempt(() => readdirSync(folder), []).map((fd) => attempt(() => readlinkSync(`${folder}/${fd}`), ""));
}

function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
