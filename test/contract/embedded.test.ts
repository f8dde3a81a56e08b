import { systemClock } from "../../src/lib/clock.ts";
import { connectEmbedded } from "../../src/transport/embedded/client.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { MAY_ALL, startRelayServer } from "../helpers/brokers/relay-server.ts";
import { startTcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { NEVER } from "./contract-tools.ts";
import { transportContract } from "./transport-contract.ts";

const TICKET = "a-good-ticket";

function open(port: number, { ticket = TICKET, clientName = "contract" } = {}): Promise<Transport> {
  return connectEmbedded(
    { kind: "embedded", host: "127.0.0.1", port, ticket },
    { clientName, clock: systemClock, signal: NEVER },
  );
}

transportContract("embedded", {
  async start() {
    const options = { authorize: (ticket: string) => (ticket === TICKET ? MAY_ALL : undefined) };
    let server = await startRelayServer(options);
    const { port } = server;
    return {
      connect: (clientName) => open(port, clientName === undefined ? {} : { clientName }),
      connectWrongCredentials: () => open(port, { ticket: "a-bad-ticket" }),
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
  },
});
