import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createRelay, type Relay, type RelayPermissions } from "../../../src/transport/embedded/relay.ts";

/** A relay behind an HTTP server of its own, as the coordinator has it. */
export interface RelayServer {
  readonly port: number;
  readonly relay: Relay;
  close(): Promise<void>;
}

export interface RelayServerOptions {
  readonly authorize: (ticket: string) => RelayPermissions | undefined;
  /** 0 takes a free one. */
  readonly port?: number;
}

export const MAY_ALL: RelayPermissions = { name: "test", mayPublish: () => true, maySubscribe: () => true };

export async function startRelayServer(options: RelayServerOptions): Promise<RelayServer> {
  const relay = createRelay({ authorize: options.authorize });
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.on("upgrade", (request, socket, head) => relay.handleUpgrade(request, socket, head));
  await listen(server, options.port ?? 0);
  return {
    port: (server.address() as AddressInfo).port,
    relay,
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await relay.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}
