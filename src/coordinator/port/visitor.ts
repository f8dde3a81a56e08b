import type { Step } from "./strangers.ts";

/** Who is at the other end of a connection to the port, as far as the port knows. */
export interface Visitor {
  /** `10.0.0.3` */
  readonly address: string;
  /** Names the key of the certificate that the visitor was shown; empty without TLS. */
  readonly pin: string;
  /** Who it is, is proven: no bound and no deadline of the unknown ones is for it any more. Idempotent. */
  authenticated(): void;
}

/** A visitor whose steps are watched. */
export interface Guest extends Visitor {
  /** It has begun a step, and has the time of that step for it. */
  begins(step: Step): void;
}
