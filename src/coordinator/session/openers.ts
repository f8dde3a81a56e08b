import { addressGroup } from "../../lib/net/address-group.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";
import { SESSIONS_MAX, SESSIONS_PER_ADDRESS_MAX, SESSIONS_PER_MEMBER_MAX } from "../../protocol/limits.ts";

/** Who opens a session. */
interface Opener {
  readonly identity: string;
  /** Absent: a coordinator before this one knew it. */
  readonly address?: string;
}

/** Who opened which of the sessions that there are: so nobody opens all of them, and keeps the others out. */
export class Openers {
  readonly #openers = new Map<string, Opener>();

  opened(name: string, opener: Opener): void {
    this.#openers.set(name, opener);
  }

  closed(name: string): void {
    this.#openers.delete(name);
  }

  /** Why this one may not open another session; undefined when it may. */
  refusal({ identity, address = "" }: Opener): string | undefined {
    const openers = [...this.#openers.values()];
    if (openers.length >= SESSIONS_MAX)
      return full(SESSIONS_MAX, "are open already, and a coordinator can have no more");
    const own = openers.filter((opener) => opener.identity === identity).length;
    if (own >= SESSIONS_PER_MEMBER_MAX) return full(own, "that this member opened are open, and one can have no more");
    // Everybody on this machine, and behind what passes connections on, has the same address.
    if (isLoopbackHost(address)) return undefined;
    const group = addressGroup(address);
    const near = openers.filter((opener) => addressGroup(opener.address ?? "") === group).length;
    if (near < SESSIONS_PER_ADDRESS_MAX) return undefined;
    return full(near, `that were opened from ${address} are open, and one address can have no more`);
  }
}

function full(count: number, what: string): string {
  return `${count} sessions ${what}; wait for the end of one`;
}
