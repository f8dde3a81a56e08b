import { systemClock } from "../../../src/lib/clock.ts";
import { connectTransport, type TransportTarget } from "../../../src/transport/connect.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import type { ContractBroker } from "../../contract/contract-harness.ts";
import { freePorts } from "./broker-process.ts";
import type { TestBroker } from "./broker-types.ts";
import { startTcpProxy } from "./tcp-proxy.ts";

type UrlTarget = Extract<TransportTarget, { url: string }>;

/** Fits a real broker and its adapter into the contract suite. */
export function contractBroker(kind: UrlTarget["kind"], broker: TestBroker): ContractBroker {
  const open = (url: string, clientName = "contract"): Promise<Transport> =>
    connectTransport({ kind, url }, { clientName, clock: systemClock, signal: AbortSignal.timeout(30_000) });
  return {
    connect: (clientName) => open(broker.url, clientName),
    connectWrongCredentials: () => open(`${kind}://guest:wrong-secret@127.0.0.1:${broker.port}`),
    connectUnreachable: async () => open(atPort(broker.url, (await freePorts(1))[0] ?? 0)),
    restart: () => broker.restart(),
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
