import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { onTestFinished } from "vitest";
import type { KeyPair } from "./certificates.ts";

interface TlsServer {
  readonly port: number;
  /** What clients sent inside of TLS, over all connections together. */
  readonly received: string;
  /** Of TCP, whatever became of their handshakes. */
  readonly connections: number;
  /** Shows another certificate from now on. */
  use(pair: KeyPair): void;
}

/** A server that takes what comes, and says what it is told to. */
export async function startTlsServer(
  pair: KeyPair,
  {
    onSocket = () => undefined,
    ...options
  }: Omit<TlsOptions, "key" | "cert"> & { readonly onSocket?: (socket: TLSSocket) => void } = {},
): Promise<TlsServer> {
  let [received, connections] = ["", 0];
  const sockets = new Set<TLSSocket>();
  const base = { minVersion: "TLSv1.3" as const, ...options };
  const server = createServer({ ...base, key: pair.key, cert: pair.certificate }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
    });
    onSocket(socket);
  });
  server.on("tlsClientError", () => undefined);
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received;
    },
    get connections() {
      return connections;
    },
    use: ({ key, certificate }) => server.setSecureContext({ ...base, key, cert: certificate }),
  };
}
