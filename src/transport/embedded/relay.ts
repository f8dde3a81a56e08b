import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Logger, silentLogger } from "../../lib/logger.ts";
import { BufferPool } from "../../lib/memory/buffer-pool.ts";
import { type Random, systemRandom } from "../../lib/random.ts";
import { PAYLOAD_BUFFER_BYTES, WINDOW_BYTES_MAX } from "../../protocol/limits.ts";
import { Router } from "../router.ts";
import { type LinkRefusal, NONCE_BYTES, RelayHandshake, refusalOf } from "./handshake.ts";
import { type RelayBounds, type RelayClient, RelayClients } from "./relay-clients.ts";
import { RelayConnection, type RelayPermissions } from "./relay-connection.ts";

export type { RelayPermissions } from "./relay-connection.ts";

/** What the relay knows of a ticket. */
export interface TicketFacts {
  readonly secret: Uint8Array;
  readonly rights: RelayPermissions;
}

interface RelayOptions extends RelayBounds {
  /** Finds a ticket by its id; undefined when there is none that is valid. */
  readonly find: (ticketId: string) => TicketFacts | undefined;
  readonly random?: Pick<Random, "hex">;
  readonly logger?: Logger;
}

/** Whose connection it is, for whoever accepted it. */
export interface RelayVisitor {
  readonly address: string;
  /** Others on the way may read what passes, and add to it: there is no TLS, where there could be. */
  readonly isExposed: boolean;
  /** It has proven that it has a valid ticket. */
  authenticated(): void;
}

/** The embedded broker: passes messages between the connections that the coordinator's port hands to it. */
export interface Relay {
  /** For subscribers of this process: `connectRouter(relay.router, { kind: "embedded" })`. */
  readonly router: Router;
  /** Connections that are open. */
  readonly connections: number;
  /**
   * Takes a connection whose first bytes are a relay's; from now on it is the relay's. How long it may take to prove its
   * ticket is the concern of who accepted it.
   */
  take(socket: Duplex, first: Uint8Array, visitor: RelayVisitor): void;
  /** Ends the connections of an owner. Its ticket is somebody else's concern. */
  cut(owner: string): void;
  /** Ends every connection, and takes no more. Idempotent. */
  close(): Promise<void>;
}

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
  readonly #clients: RelayClients;
  #closed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#clients = new RelayClients(options);
  }

  get connections(): number {
    return this.#clients.count;
  }

  take(socket: Duplex, first: Uint8Array, visitor: RelayVisitor): void {
    this.#watchErrors(socket);
    const { find, random = systemRandom } = this.#options;
    const handshake = new RelayHandshake({ nonce: Buffer.from(random.hex(NONCE_BYTES), "hex"), find });
    const gone = (): void => void socket.destroy();
    const push = (chunk: Uint8Array): void => {
      const step = handshake.push(chunk);
      if (step === undefined) return;
      if (step === "damaged") gone();
      else if (step !== "denied" && "send" in step) socket.write(step.send);
      else {
        socket.off("data", push);
        socket.off("end", gone);
        if (step === "denied") refuse(socket, step);
        else this.#welcome(socket, step, visitor);
      }
    };
    socket.on("data", push);
    socket.on("end", gone);
    push(first);
    socket.resume();
  }

  #welcome(
    socket: Duplex,
    { rights, verdict }: { rights: RelayPermissions; verdict: Uint8Array },
    visitor: RelayVisitor,
  ): void {
    visitor.authenticated();
    const { address, isExposed } = visitor;
    const client = { owner: rights.owner, address };
    if (this.#closed || !this.#clients.makesRoom(client)) refuse(socket, "full");
    else this.#accept(socket, { client, permissions: rights, isExposed, verdict });
  }

  cut(owner: string): void {
    this.#clients.cut(owner);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#clients.close();
  }

  /** A socket without an error listener would end the process. */
  #watchErrors(socket: Duplex): void {
    socket.on("error", (error) => {
      this.#logger.debug("lose a relay client", { error: error.message });
      socket.destroy();
    });
  }

  #accept(accepted: Duplex, { client, permissions, isExposed, verdict }: Accepted): void {
    const { router } = this;
    const options = { router, buffers: this.#buffers, permissions, isExposed, logger: this.#logger };
    const connection = new RelayConnection(accepted, options);
    const { socket } = connection;
    this.#clients.add(socket, client);
    if (socket !== accepted) this.#watchErrors(socket);
    socket.on("close", () => connection.leave());
    if (socket instanceof Socket) {
      socket.setNoDelay(true);
      socket.setTimeout(SILENCE_MS, () => socket.destroy());
    }
    socket.write(verdict);
    socket.on("end", () => socket.end());
    socket.resume();
  }
}

interface Accepted {
  readonly client: RelayClient;
  readonly permissions: RelayPermissions;
  readonly isExposed: boolean;
  readonly verdict: Uint8Array;
}

/** Answers and ends, without waiting for a client that may never end its own half. */
function refuse(socket: Duplex, why: LinkRefusal): void {
  socket.resume();
  socket.once("finish", () => socket.destroy());
  socket.end(refusalOf(why));
}
