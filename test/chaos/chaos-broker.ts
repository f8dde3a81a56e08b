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
  stop(): Promise<void>;
}

export async function startChaosBroker(transport: TransportName): Promise<ChaosBroker> {
  if (transport === "embedded")
    return { option: "embedded", leftOvers: () => Promise.resolve([]), stop: () => Promise.resolve() };
  const server = transport === "nats" ? await startNats() : await startRabbit();
  const leftOvers = () => (transport === "nats" ? natsLeftOvers(server) : rabbitLeftOvers(server));
  return { option: server.url, server, leftOvers, stop: () => server.stop() };
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
  const response = await fetch(url, { headers: { authorization: `Basic ${btoa("guest:guest")}` } });
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return await response.json();
}
