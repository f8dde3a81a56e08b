import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { BufferPool } from "../../lib/buffer-pool.ts";
import { type Logger, silentLogger } from "../../lib/logger.ts";
import { PAYLOAD_BUFFER_BYTES, WINDOW_BYTES_MAX } from "../../protocol/limits.ts";
import { Router } from "../router.ts";
import { RELAY_PROTOCOL, ticketOf, UPGRADE_ACCEPTED, upgradeRefused } from "./handshake.ts";
import { RelayConnection, type RelayPermissions } from "./relay-connection.ts";

export type { RelayPermissions } from "./relay-connection.ts";

interface RelayOptions {
  /** Tells what the owner of a ticket may do; undefined when the ticket is not valid. */
  readonly authorize: (ticket: string) => RelayPermissions | undefined;
  readonly logger?: Logger;
  /** Open connections beyond this are refused. */
  readonly connectionsMax?: number;
}

/** The embedded broker: passes messages between the connections that the coordinator's HTTP server hands to it. */
export interface Relay {
  /** For subscribers of this process: `connectRouter(relay.router, { kind: "embedded" })`. */
  readonly router: Router;
  /** Connections that are open. */
  readonly connections: number;
  /** Takes a request for an upgrade to `fanfold-relay/1`, with its socket; from now on both are the relay's. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void;
  /** Ends every connection, and takes no more. Idempotent. */
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 4096;
/** Clients ping every five seconds: one that says nothing for so long, and takes nothing, is gone. */
const SILENCE_MS = 60_000;
/** As many as a window has. */
const BUFFERS_KEPT_MAX = Math.ceil(WINDOW_BYTES_MAX / PAYLOAD_BUFFER_BYTES);

export function createRelay(options: RelayOptions): Relay {
  return new EmbeddedRelay(options);
}

class EmbeddedRelay implements Relay {
  readonly router = new Router();
  readonly #options: RelayOptions;
  readonly #logger: Logger;
  readonly #buffers = new BufferPool({ bufferBytes: PAYLOAD_BUFFER_BYTES, keptMax: BUFFERS_KEPT_MAX });
  /** Upgraded sockets belong to no server any more: nobody else ends them. */
  readonly #sockets = new Set<Duplex>();
  #closed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    this.#watchErrors(socket);
    if (this.#closed || this.#sockets.size >= (this.#options.connectionsMax ?? CONNECTIONS_MAX)) {
      refuse(socket, upgradeRefused(503, "the relay takes no more clients\n"));
      return;
    }
    if (request.headers.upgrade?.toLowerCase() !== RELAY_PROTOCOL) {
      refuse(socket, upgradeRefused(426, `this path speaks ${RELAY_PROTOCOL}\n`));
      return;
    }
    const ticket = ticketOf(request.headers.authorization);
    const permissions = ticket === undefined ? undefined : this.#options.authorize(ticket);
    if (permissions === undefined) {
      refuse(socket, upgradeRefused(401, "the ticket is not valid\n"));
      return;
    }
    this.#accept(socket, permissions, head);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#sockets].map((socket) => {
      const closed = new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
      });
      socket.destroy();
      return closed;
    });
    await Promise.all(closing);
  }

  /** A socket without an error listener would end the process. */
  #watchErrors(socket: Duplex): void {
    socket.on("error", (error) => {
      this.#logger.debug("lose a relay client", { error: error.message });
      socket.destroy();
    });
  }

  #accept(accepted: Duplex, permissions: RelayPermissions, head: Uint8Array): void {
    const { router } = this;
    const options = { router, buffers: this.#buffers, permissions, logger: this.#logger };
    const connection = new RelayConnection(accepted, options);
    const { socket } = connection;
    this.#sockets.add(socket);
    if (socket !== accepted) this.#watchErrors(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      connection.leave();
    });
    if (socket instanceof Socket) {
      socket.setNoDelay(true);
      socket.setTimeout(SILENCE_MS, () => socket.destroy());
    }
    socket.write(UPGRADE_ACCEPTED);
    if (head.byteLength > 0) connection.push(head);
    socket.on("end", () => socket.end());
    socket.resume();
  }
}

/** Answers and ends, without waiting for a client that may never end its own half. */
function refuse(socket: Duplex, answer: string): void {
  socket.resume();
  socket.once("finish", () => socket.destroy());
  socket.end(answer);
}
