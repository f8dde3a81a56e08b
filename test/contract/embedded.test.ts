import { systemClock } from "../../src/lib/clock.ts";
import { ServerTrust } from "../../src/lib/tls/server-trust.ts";
import { connectEmbedded } from "../../src/transport/embedded/client.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { MAY_ALL, startRelayServer, ticketNamed } from "../helpers/brokers/relay-server.ts";
import { startTcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { selfMade } from "../helpers/tls/certificates.ts";
import type { ContractBroker } from "./contract-harness.ts";
import { NEVER } from "./contract-tools.ts";
import { transportContract } from "./transport-contract.ts";

transportContract("embedded", { start: () => startBroker() });
transportContract("embedded over TLS", { start: () => startBroker(selfMade()) });
transportContract("embedded, sealed", { start: () => startBroker(selfMade(), true) });

async function startBroker(pair?: ReturnType<typeof selfMade>, isSealed = false): Promise<ContractBroker> {
  const authorize = (ticket: string) => (ticket === "good" ? MAY_ALL : undefined);
  const options = { authorize, ...(pair === undefined ? {} : { tls: pair }) };
  const tls = pair === undefined ? undefined : new ServerTrust({ pin: pair.pin });
  const open = (port: number, { ticket = "good", clientName = "contract" } = {}): Promise<Transport> =>
    connectEmbedded(
      { kind: "embedded", host: "127.0.0.1", port, ticket: ticketNamed(ticket), tls, isSealed },
      { clientName, clock: systemClock, signal: NEVER },
    );
  let server = await startRelayServer(options);
  const { port } = server;
  return {
    connect: (clientName) => open(port, clientName === undefined ? {} : { clientName }),
    connectWrongCredentials: () => open(port, { ticket: "bad" }),
    async connectUnreachable() {
      const gone = await startRelayServer(options);
      await gone.close();
      return open(gone.port);
    },
    async restart() {
      await server.close();
      server = await startRelayServer({ ...options, port });
    },
    async stallPublisherLink() {
      const proxy = await startTcpProxy(port);
      const transport = await open(proxy.port);
      proxy.stallFromClients();
      return { transport, release: () => proxy.close() };
    },
    stop: () => server.close(),
  };
}
