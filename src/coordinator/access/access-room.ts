import type { Clock } from "../../lib/clock.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { formatHostPort } from "../../lib/net/host-port.ts";
import type { Random } from "../../lib/random.ts";
import type { ShownToken } from "../../protocol/access/operator-api.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { Store } from "../history/store.ts";
import type { Api } from "../port/routes.ts";
import type { ServerIdentity } from "../tls/server-identity.ts";
import { OPEN_ACCESS } from "./access.ts";
import { AccessStore } from "./access-store.ts";
import { apiOf } from "./api.ts";
import type { ApiPages } from "./api-page.ts";
import type { Attempts } from "./attempts.ts";
import { BrowserSessions } from "./browser-sessions.ts";
import { AccessDesk } from "./desk.ts";
import { Entrance } from "./entrance.ts";
import { Gatekeeper } from "./gatekeeper.ts";
import { GuardedAccess } from "./guarded-access.ts";
import { LocalOperator, removeOperatorPass } from "./local-operator.ts";
import { openTokenKey } from "./token-key.ts";

interface AccessRoomOptions {
  readonly store: Store;
  readonly stateDir: FilePath;
  /** Nobody comes in without a token. */
  readonly isGuarded: boolean;
  readonly access: AccessMode;
  readonly attempts: Attempts;
  readonly clock: Clock;
  readonly random: Random;
  readonly warn: (message: string) => void;
  readonly sessions: () => readonly SessionView[];
  readonly pages: () => Promise<ApiPages>;
  /** Cuts off a member that was removed. */
  readonly cut: (identity: string) => void;
}

/** Where the coordinator is reached, once it is known. */
interface Opening {
  /** What to type at `--coordinator`, the most useful first. */
  readonly addresses: readonly string[];
  /** The address that the port is bound to, and the port. */
  readonly bound: { readonly address: string; readonly port: number };
  /** What the port shows over TLS. */
  readonly identity: Pins | undefined;
}

type Pins = Pick<ServerIdentity, "pin" | "tokenPin">;

/** The coordinator's room that decides who comes in, and those who decide that: tokens, members, and the API for both. */
export class AccessRoom implements Disposable {
  readonly entrance: Entrance;
  readonly api: Api;
  readonly #options: AccessRoomOptions;
  readonly #desk: AccessDesk;
  #local: LocalOperator | undefined;
  #opening: Opening | undefined;

  /** @throws FanfoldError `disk-failed` or `damaged` */
  constructor(options: AccessRoomOptions) {
    this.#options = options;
    const { stateDir, isGuarded, attempts, clock, random, warn, cut } = options;
    // One that was killed has left its pass behind, which opens nothing.
    removeOperatorPass(stateDir);
    const store = new AccessStore(options.store.database);
    const access = isGuarded ? new GuardedAccess({ store, clock, warn }) : OPEN_ACCESS;
    this.entrance = new Entrance({ access, attempts, clock });
    this.#desk = new AccessDesk({ store, key: openTokenKey(stateDir, random), clock, random, cut });
    const find = (id: string) => (id === this.#local?.record.id ? this.#local.record : store.token(id));
    const browsers = new BrowserSessions({ clock, random });
    const gatekeeper = new Gatekeeper({ find, browsers, clock });
    const refusal = this.entrance.refusal.bind(this.entrance);
    const isOpen = !isGuarded;
    this.api = apiOf({ ...options, desk: this.#desk, gatekeeper, browsers, refusal, isOpen });
  }

  /**
   * Tells the state where the coordinator is reached, and writes the pass of its operator. Gives the tokens that are made now, because
   * nobody had any.
   *
   * @throws FanfoldError `disk-failed`
   */
  open(opening: Opening): readonly ShownToken[] {
    this.#opening = opening;
    this.#tell(opening);
    return this.#options.isGuarded ? this.#desk.makeFirstTokens() : [];
  }

  /** The port shows another key from now on. */
  shows(identity: Pins): void {
    if (this.#opening !== undefined) this.#tell({ ...this.#opening, identity });
  }

  #tell({ addresses, bound, identity }: Opening): void {
    const { stateDir, isGuarded, clock, random } = this.#options;
    const { pin, tokenPin } = identity ?? { pin: "", tokenPin: "" };
    const plain = (each: string) => (each.startsWith("http://") ? each : `http://${each}`);
    this.#desk.serve({ addresses: isGuarded ? addresses : addresses.map(plain), pin: tokenPin });
    const where = formatHostPort({ host: innerAddress(bound.address), port: bound.port });
    const address = `${identity === undefined ? "http" : "https"}://${where}`;
    this.#local = new LocalOperator({ stateDir, address, pin, clock, random });
  }

  [Symbol.dispose](): void {
    this.#local?.[Symbol.dispose]();
    this.#local = undefined;
  }
}

/** By which this machine reaches a port that is bound to the address. */
function innerAddress(bound: string): string {
  if (bound === "0.0.0.0") return "127.0.0.1";
  return bound === "::" ? "::1" : bound;
}
