import type { Role } from "../../protocol/messages/control.ts";

/** Somebody who has proven its identity, and asks to come in. */
export interface Arrival {
  readonly role: Role;
  readonly session: string;
  /** Public key: 64 hex digits. */
  readonly identity: string;
  /** The name that it would like. */
  readonly label: string;
  /** Where it is. */
  readonly address: string;
  readonly token?: string | undefined;
  /** What its machine takes for the time, in milliseconds since 1970. */
  readonly clientTimeMs: number;
}

/** Decides who comes in. */
export interface Access {
  /** @throws FanfoldError one of the codes of access: `token-missing`, `member-removed`, … */
  admit(arrival: Arrival): void;
  /** How somebody who was let in is called in the session that it entered. */
  called(member: Pick<Arrival, "identity" | "role">, name: string): void;
  /** Whether somebody who was let in may enter a session of this name, too. */
  mayEnter(member: Pick<Arrival, "identity" | "role">, session: string): boolean;
}

/** Asks nobody for a token. */
export const OPEN_ACCESS: Access = { admit: () => undefined, called: () => undefined, mayEnter: () => true };
