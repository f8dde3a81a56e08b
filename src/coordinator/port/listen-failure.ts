import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import type { HostPort } from "../../lib/net/host-port.ts";

/** Why a port could not be taken, and what to do. */
export function listenFailure(cause: Error, { host, port }: HostPort): FanfoldError {
  const what = `cannot listen on "${host}" port ${port}`;
  switch (systemCode(cause)) {
    case "EADDRINUSE":
      return new FanfoldError(
        "port-taken",
        `${what}: another program uses this port; choose another with --port, or 0 for any free one`,
        { cause },
      );
    case "EACCES":
      return new FanfoldError(
        "usage",
        `${what}: this user may not use this port; choose one from 1024 on with --port`,
        { cause },
      );
    case "EADDRNOTAVAIL":
      return new FanfoldError(
        "usage",
        `${what}: this machine does not have this address; give an address of this machine with --host, or 0.0.0.0 for all`,
        { cause },
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new FanfoldError("usage", `${what}: the name is not known; give an address of this machine with --host`, {
        cause,
      });
    default:
      return new FanfoldError(
        "usage",
        `${what}: ${reasonOf(cause)}; give an address of this machine with --host and a port from 0 to 65535 with --port`,
        { cause },
      );
  }
}
