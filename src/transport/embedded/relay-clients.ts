import type { Duplex } from "node:stream";
import { addressGroup } from "../../lib/net/address-group.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";

const CONNECTIONS_MAX = 4096;
/** Of one address but this machine's own: half of them are always for others. */
const PER_ADDRESS_MAX = 2048;
/** Each member has two: one for data, one for reports. The others are left over from links that broke. */
export const PER_OWNER_MAX = 8;

export interface RelayBounds {
  readonly connectionsMax?: number | undefined;
  readonly perAddressMax?: number | undefined;
}

export interface RelayClient {
  /** Whose ticket it came with: a member. */
  readonly owner: string;
  readonly address: string;
}

/** The open connections of a relay. No member, and no address, takes all of them. */
export class RelayClients {
  readonly #max: number;
  readonly #perAddressMax: number;
  /** The oldest first. */
  readonly #clients = new Map<Duplex, RelayClient>();
  readonly #byOwner = new Groups();
  readonly #byAddress = new Groups();

  constructor({ connectionsMax = CONNECTIONS_MAX, perAddressMax = PER_ADDRESS_MAX }: RelayBounds) {
    this.#max = connectionsMax;
    this.#perAddressMax = perAddressMax;
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Whether one more may come in. Where its owner has all that it may have, the oldest of them goes for it. */
  makesRoom({ owner, address }: RelayClient): boolean {
    const ofOwner = this.#byOwner.get(owner);
    if (ofOwner.length >= PER_OWNER_MAX) this.#cut(ofOwner.slice(0, 1));
    const ofAddress = isLoopbackHost(address) ? 0 : this.#byAddress.get(addressGroup(address)).length;
    return this.count < this.#max && ofAddress < this.#perAddressMax;
  }

  /** Keeps a connection in mind until it is closed. */
  add(socket: Duplex, client: RelayClient): void {
    this.#clients.set(socket, client);
    this.#byOwner.add(client.owner, socket);
    this.#byAddress.add(addressGroup(client.address), socket);
    socket.once("close", () => this.#forget(socket));
  }

  /** Ends all of an owner. */
  cut(owner: string): void {
    this.#cut(this.#byOwner.get(owner));
  }

  /** Ends all; resolves when they are closed. */
  async close(): Promise<void> {
    const closing = [...this.#clients.keys()].map(async (socket) => {
      const closed = new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
      });
      socket.destroy();
      await closed;
    });
    await Promise.all(closing);
  }

  /** They are closed in a moment, and do not count until then. */
  #cut(sockets: readonly Duplex[]): void {
    for (const socket of sockets) {
      this.#forget(socket);
      socket.destroy();
    }
  }

  #forget(socket: Duplex): void {
    const client = this.#clients.get(socket);
    if (client === undefined) return;
    this.#clients.delete(socket);
    this.#byOwner.remove(client.owner, socket);
    this.#byAddress.remove(addressGroup(client.address), socket);
  }
}

/** Sockets by what they have in common, the oldest of each first. */
class Groups {
  readonly #groups = new Map<string, Set<Duplex>>();

  get(name: string): readonly Duplex[] {
    return [...(this.#groups.get(name) ?? [])];
  }

  add(name: string, socket: Duplex): void {
    const group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, new Set([socket]));
    else group.add(socket);
  }

  remove(name: string, socket: Duplex): void {
    const group = this.#groups.get(name);
    group?.delete(socket);
    if (group?.size === 0) this.#groups.delete(name);
  }
}
