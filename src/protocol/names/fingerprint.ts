/** Hex digits of an identity that people compare. They are for the eye, and prove nothing. */
const DIGITS = 16;

/** A member's identity, its public key in hex, in a form that people can compare: `3f2a-9c01-77de-0b5a`. */
export function fingerprint(identity: string): string {
  return identity.slice(0, DIGITS).replaceAll(/(.{4})(?=.)/g, "$1-");
}
