import type { TestBroker } from "../helpers/brokers/broker-types.ts";
import { startNats, startRabbit } from "../helpers/brokers/brokers.ts";
import type { TransportName } from "./scenario.ts";

/** What stands between the members of a scenario; one broker serves many scenarios, one after another. */
export interface ChaosBroker {
  /** For `--broker`. */
  readonly option: string;
  /** Absent with the embedded relay: it dies with the coordinator. */
  readonly server?: TestBroker;
  /** What fanfold left at the broker: queues, exchanges, connections. */
  leftOvers(): Promise<string[]>;
  /** Lets happen at once what the broker does by itself when no coordinator has come back for long. */
  expire(): Promise<void>;
  stop(): Promise<void>;
}

export async function startChaosBroker(transport: TransportName): Promise<ChaosBroker> {
  if (transport === "embedded")
    return { option: "embedded", leftOvers: () => Promise.resolve([]), expire: nothing, stop: nothing };
  const server = transport === "nats" ? await startNats() : await startRabbit();
  const leftOvers = () => (transport === "nats" ? natsLeftOvers(server) : rabbitLeftOvers(server));
  const expire = () => (transport === "nats" ? nothing() : expireAnchors(server));
  return { option: server.url, server, leftOvers, expire, stop: () => server.stop() };
}

async function nothing(): Promise<void> {}

/** The exchanges of a session go with its anchor: the broker deletes them, or they lead in a circle. */
async function expireAnchors({ adminUrl }: TestBroker): Promise<void> {
  for (const { name } of (await json(`${adminUrl}/api/queues`)) as readonly { readonly name: string }[])
    if (name.startsWith("fanfold.")) await request(`${adminUrl}/api/queues/%2F/${name}`, "DELETE");
}

async function natsLeftOvers({ adminUrl }: TestBroker): Promise<string[]> {
  const { num_connections: count } = (await json(`${adminUrl}/connz`)) as { readonly num_connections: number };
  return count === 0 ? [] : [`${count} connections`];
}

async function rabbitLeftOvers({ adminUrl }: TestBroker): Promise<string[]> {
  const named = async (kind: string): Promise<string[]> => {
    const found = (await json(`${adminUrl}/api/${kind}`)) as readonly { readonly name: string }[];
    return found.map(({ name }) => `${kind}: ${name}`);
  };
  const exchanges = (await named("exchanges")).filter((name) => name.includes("fanfold"));
  return [...exchanges, ...(await named("queues"))];
}

async function json(url: string): Promise<unknown> {
  return await (await request(url, "GET")).json();
}

async function request(url: string, method: string): Promise<Response> {
  const response = await fetch(url, { method, headers: { authorization: `Basic ${btoa("guest:guest")}` } });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`);
  return response;
}
