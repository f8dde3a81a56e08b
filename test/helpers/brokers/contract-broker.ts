import { systemClock } from "../../../src/lib/clock.ts";
import { connectTransport, type TransportTarget } from "../../../src/transport/connect.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import type { ContractBroker } from "../../contract/contract-harness.ts";
import { freePort } from "../free-ports.ts";
import type { TestBroker } from "./broker-types.ts";
import { MadeExchanges } from "./made-exchanges.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

type UrlTarget = Extract<TransportTarget, { url: string }>;

/** Fits a real broker and its adapter into the contract suite. */
export function contractBroker(kind: UrlTarget["kind"], broker: TestBroker): ContractBroker {
  return targetBroker(broker, {
    target: (url) => ({ kind, url }),
    wrong: { kind, url: `${kind}://guest:wrong-secret@127.0.0.1:${broker.port}` },
  });
}

interface BrokerTargets {
  /** How it is reached under a URL. */
  readonly target: (url: string) => TransportTarget;
  /** With credentials that it refuses. */
  readonly wrong: TransportTarget;
  /** For RabbitMQ: URL of a user who may make exchanges, if it is not that of the broker. */
  readonly makerUrl?: string;
}

/** The same where more than a URL is needed to reach it. */
export function targetBroker(
  broker: TestBroker,
  { target, wrong, makerUrl = broker.url }: BrokerTargets,
): ContractBroker {
  const exchanges = wrong.kind === "amqp" ? new MadeExchanges(makerUrl) : undefined;
  const connect = async (to: TransportTarget, clientName = "contract"): Promise<Transport> => {
    const signal = AbortSignal.timeout(60_000);
    const transport = await connectTransport(to, { clientName, clock: systemClock, signal });
    return exchanges?.with(transport) ?? transport;
  };
  const open = (url: string, clientName?: string): Promise<Transport> => connect(target(url), clientName);
  return {
    connect: (clientName) => open(broker.url, clientName),
    connectWrongCredentials: () => connect(wrong),
    connectUnreachable: async () => open(atPort(broker.url, await freePort())),
    async restart() {
      await broker.restart();
      await exchanges?.makeAgain();
    },
    async stallPublisherLink() {
      const proxy = await startTcpProxy(broker.port);
      const transport = await open(atPort(broker.url, proxy.port), "stalled");
      proxy.stallFromClients();
      return {
        transport,
        async release() {
          proxy.resume();
          await transport.close();
          await proxy.close();
        },
      };
    },
    stop: () => broker.stop(),
  };
}

/** The same URL, with its credentials, at another port of this machine. */
export function atPort(url: string, port: number): string {
  return url.replace(/:\d+$/, `:${port}`);
}
