import type { FanfoldError } from "../errors.ts";
import type { HostPort } from "../net/host-port.ts";
import type { ServerTrust } from "./server-trust.ts";

/** A server that a client connects to, and how the client tells that it could not. */
export interface ServerPlace extends HostPort {
  /** Absent: without TLS. */
  readonly trust?: ServerTrust | undefined;
  /** What is tried: `cannot connect to the coordinator at backup:7337`. */
  readonly what: string;
  /** The error of a server that does not answer, or breaks the connection. */
  readonly unreachable: (found: string, cause?: unknown) => FanfoldError;
}
