import { createHash } from "node:crypto";
import { Door } from "../../../src/coordinator/port/door.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { createRelay, type Relay, type RelayPermissions } from "../../../src/transport/embedded/relay.ts";
import { MESSAGE_BYTES_MAX } from "../../../src/transport/embedded/wire.ts";
import { freePort } from "../free-ports.ts";
import type { KeyPair } from "../tls/certificates.ts";

/** A relay behind a door of its own, as the coordinator has it. */
export interface RelayServer {
  readonly port: number;
  readonly relay: Relay;
  close(): Promise<void>;
}

export interface RelayServerOptions {
  /** What a ticket of `ticketNamed` is good for. */
  readonly authorize: (name: string) => RelayPermissions | undefined;
  /** @default a free one */
  readonly port?: number;
  /** With TLS, and without it for what is sealed. */
  readonly tls?: KeyPair;
  readonly clock?: Clock;
}

export const MAY_ALL: RelayPermissions = {
  owner: "test",
  name: "test",
  messageBytesMax: MESSAGE_BYTES_MAX,
  mayBeExposed: () => true,
  mayPublish: () => true,
  maySubscribe: () => true,
};

/** A ticket whose id says its name, of 8 letters at most. */
export function ticketNamed(name: string): string {
  return Buffer.from(name.padEnd(8)).toString("hex") + secretOf(name).toString("hex");
}

function secretOf(name: string): Buffer {
  return createHash("sha256").update(name).digest().subarray(0, 16);
}

export async function startRelayServer(options: RelayServerOptions): Promise<RelayServer> {
  const { authorize, tls, clock = systemClock } = options;
  const port = options.port ?? (await freePort());
  const find = (ticketId: string) => {
    const name = Buffer.from(ticketId, "hex").toString().trimEnd();
    const rights = authorize(name);
    return rights && { secret: secretOf(name), rights };
  };
  const relay = createRelay({ find });
  const door = new Door({
    ...{ host: "127.0.0.1", port, clock, tls: tls === undefined ? "off" : "on" },
    enter: (socket) => socket.destroy(),
    enterRelay: (socket, first, guest) => {
      const isExposed = tls !== undefined && guest.pin === "";
      relay.take(socket, first, { ...guest, isExposed });
    },
  });
  const address = await door.listen();
  door.open(tls && { identity: { key: tls.key, certificates: tls.certificate, pin: "", tokenPin: "" } });
  return {
    port: address.port,
    relay,
    async close() {
      await relay.close();
      await door.close();
    },
  };
}
