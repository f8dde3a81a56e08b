import type { Role } from "../messages/control.ts";

/** What the signature of a `hello` covers [P-1.4]. */
export interface HelloClaim {
  /** Of the challenge on this very connection. */
  readonly nonce: string;
  /** Of the coordinator's key, as this connection shows it; empty without TLS. */
  readonly pin: string;
  readonly role: Role;
  readonly session: string;
}

/**
 * The text that a member signs to prove who it is. The nonce makes it worthless later. The pin makes it worthless at another
 * coordinator: nobody can pass on the challenge of one to the members of the other.
 */
export function helloProof({ nonce, pin, role, session }: HelloClaim): string {
  return [nonce, pin, role, session].join("\n");
}
