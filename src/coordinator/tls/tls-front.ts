import { constants } from "node:crypto";
import type { Socket } from "node:net";
import type { SecureContextOptions, Server, TLSSocket } from "node:tls";
import { loadTls } from "../../lib/tls/load-tls.ts";
import { STEPS_MS } from "../port/strangers.ts";
import type { ServerIdentity } from "./server-identity.ts";

/** What a coordinator that serves TLS shows, and asks for. */
export interface TlsMaterial {
  readonly identity: ServerIdentity;
  /** Authorities of client certificates, PEM. */
  readonly clientCa?: readonly string[] | undefined;
}

interface TlsFrontOptions {
  readonly asksForCertificate: boolean;
  /** Called with a connection whose handshake is done. Its certificate has not been looked at. */
  readonly secured: (socket: TLSSocket) => void;
}

/** Turns accepted connections into TLS ones. What fails on the way is closed. */
export class TlsFront {
  readonly #server: Server;

  constructor({ asksForCertificate, secured }: TlsFrontOptions) {
    this.#server = loadTls().createServer({
      ...CONTEXT,
      ALPNProtocols: ["http/1.1"],
      handshakeTimeout: STEPS_MS.handshake,
      requestCert: asksForCertificate,
      // Whoever has none is told so, in words: TLS itself has only a number for it.
      rejectUnauthorized: false,
    });
    this.#server.on("secureConnection", secured);
    // Node.js has destroyed the socket by then.
    this.#server.on("tlsClientError", () => undefined);
  }

  /** From now on new connections get this. Those that are open keep what they have. */
  use({ identity, clientCa }: TlsMaterial): void {
    this.#server.setSecureContext({
      ...CONTEXT,
      key: identity.key,
      cert: identity.certificates,
      ...(clientCa === undefined ? {} : { ca: [...clientCa] }),
    });
  }

  take(socket: Socket): void {
    this.#server.emit("connection", socket);
  }
}

/** A client that would rather have ChaCha20, on a processor without AES, gets it. */
const CONTEXT: SecureContextOptions = {
  minVersion: "TLSv1.3",
  secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
};
