import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { pinOf } from "../../lib/crypto/public-key-pin.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { plainAddress } from "../../lib/net/host-port.ts";
import { GREETING } from "../../transport/embedded/handshake.ts";
import { TlsFront, type TlsMaterial } from "../tls/tls-front.ts";
import { ConnectionRate } from "./connection-rate.ts";
import { listenFailure } from "./listen-failure.ts";
import { type Step, type Stranger, Strangers } from "./strangers.ts";
import { turnAway } from "./turn-away.ts";
import type { Guest } from "./visitor.ts";

/** Control and relay connections of a few thousand members. */
const CONNECTIONS_MAX = 16_384;

/** Connections that the system holds until they are taken: by default it drops some of a burst, which costs them a second. */
const BACKLOG = 4096;

const NO_CERTIFICATE =
  "it asks for a certificate of this client that its authority signed (--tls-client-ca); give one with --tls-cert and --tls-key\n";

/** By what each TLS connection begins, and no HTTP request. */
const TLS_HANDSHAKE = 22;
/** By what each connection to the relay begins, and neither of them. */
const RELAY_GREETING = GREETING[0];

/** `certificates`: clients are asked for theirs, too. */
export type TlsMode = "off" | "on" | "certificates";

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMode;
  readonly clock: Clock;
  /** Whether so much was tried from an address, in vain, that it gets less room. */
  readonly isSuspect?: ((address: string) => boolean) | undefined;
  /** Called with each connection that may speak HTTP now. */
  readonly enter: (socket: Socket, guest: Guest) => void;
  /** Called with each one that speaks to the relay, and with what it has said. It may do so without TLS. */
  readonly enterRelay: (socket: Socket, first: Uint8Array, guest: Guest) => void;
}

/**
 * Takes connections, and leads them through TLS where it is on. Until `open` they wait. Whoever has proven nothing yet is
 * bounded in number and in time, in every step.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #rate: ConnectionRate;
  readonly #strangers: Strangers;
  readonly #tls: TlsFront | undefined;
  /** All that are open: no HTTP server ends those that were upgraded. */
  readonly #sockets = new Map<Socket, Stranger>();
  /** Those in the handshake, by both their ends: all that an accepted socket and the TLS one over it have in common. */
  readonly #handshakes = new Map<string, Stranger>();
  #isOpen = false;

  constructor(options: DoorOptions) {
    const { clock, tls, isSuspect } = options;
    this.#options = options;
    this.#rate = new ConnectionRate(clock);
    this.#strangers = new Strangers({ clock, isSuspect });
    if (tls !== "off")
      this.#tls = new TlsFront({
        asksForCertificate: tls === "certificates",
        secured: (socket) => this.#secured(socket),
      });
    // Half-open, as an HTTP server takes connections itself.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on("connection", (socket) => this.#accept(socket));
  }

  /** Takes the port. @throws FanfoldError `port-taken` or `usage` */
  async listen(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error) => reject(listenFailure(cause, { host, port }));
      server.once("error", fail);
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off("error", fail);
        // Later ones are of single connections that could not be accepted; the others go on.
        server.on("error", () => undefined);
        resolve();
      });
    });
    const address = server.address();
    if (address === null || typeof address === "string")
      throw new FanfoldError("internal", "cannot listen: the server has no address");
    return address;
  }

  /** Lets in who waits, and who comes. `material`: what TLS shows. */
  open(material: TlsMaterial | undefined): void {
    if (material !== undefined) this.#tls?.use(material);
    this.#isOpen = true;
    for (const [socket, stranger] of this.#sockets) this.#lead(socket, stranger);
  }

  /** New connections are shown this from now on; those that are open keep what they were shown. */
  show(material: TlsMaterial): void {
    this.#tls?.use(material);
  }

  /** Takes no more connections, and cuts those there are. Idempotent. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
    this.#strangers[Symbol.dispose]();
  }

  #accept(socket: Socket): void {
    if (!this.#rate.takes(socket.remoteAddress ?? "")) {
      socket.destroy();
      return;
    }
    const stranger = this.#strangers.enter(socket.remoteAddress ?? "", () => socket.destroy());
    this.#sockets.set(socket, stranger);
    const ends = endsOf(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#handshakes.delete(ends);
      stranger.leaves();
    });
    // Without a listener, the failure of one connection would end the process.
    socket.on("error", () => socket.destroy());
    if (this.#isOpen) this.#lead(socket, stranger);
  }

  /** Nothing is made for a connection before its first bytes: who only holds one costs next to nothing. */
  #lead(socket: Socket, stranger: Stranger): void {
    if (socket.destroyed) return;
    const tls = this.#tls;
    stranger.begins(tls === undefined ? "request" : "handshake");
    this.#hear(socket, (first) => {
      const isTls = tls !== undefined && first[0] === TLS_HANDSHAKE;
      if (isTls) this.#handshake(socket, stranger, tls, first);
      else if (tls === undefined || first[0] === RELAY_GREETING) this.#enter(socket, stranger, { pin: "", first });
      else socket.destroy();
    });
  }

  /** Waits for the first bytes of a connection. */
  #hear(socket: Socket, heard: (first: Buffer) => void): void {
    const gone = (): void => void socket.destroy();
    socket.once("end", gone);
    socket.once("data", (first) => {
      socket.off("end", gone);
      socket.pause();
      heard(first);
    });
    socket.resume();
  }

  #handshake(socket: Socket, stranger: Stranger, tls: TlsFront, first: Buffer): void {
    socket.unshift(first);
    this.#handshakes.set(endsOf(socket), stranger);
    tls.take(socket);
  }

  #secured(socket: TLSSocket): void {
    const stranger = this.#handshakes.get(endsOf(socket));
    const certificate = socket.getX509Certificate();
    if (stranger === undefined || certificate === undefined) {
      socket.destroy();
    } else if (this.#options.tls === "certificates" && !hasCertificate(socket)) {
      socket.on("error", () => socket.destroy());
      stranger.begins("answer");
      turnAway(socket, "403 Forbidden", { text: NO_CERTIFICATE, code: "certificate-wanted" });
    } else {
      stranger.begins("request");
      socket.on("error", () => socket.destroy());
      const pin = pinOf(certificate);
      this.#hear(socket, (first) => this.#enter(socket, stranger, { pin, first }));
    }
  }

  #enter(socket: Socket, stranger: Stranger, { pin, first }: { readonly pin: string; readonly first: Buffer }): void {
    stranger.begins("request");
    const guest = {
      address: plainAddress(socket.remoteAddress ?? ""),
      pin,
      begins: (step: Step) => stranger.begins(step),
      authenticated: () => stranger.leaves(),
    };
    if (first[0] === RELAY_GREETING) {
      this.#options.enterRelay(socket, first, guest);
      return;
    }
    socket.unshift(first);
    this.#options.enter(socket, guest);
    socket.resume();
  }
}

/** A session that is resumed has the certificate that it began with, and is not to pass without one. */
function hasCertificate(socket: TLSSocket): boolean {
  return socket.authorized && socket.getPeerX509Certificate() !== undefined;
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
