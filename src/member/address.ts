import { isIPv6 } from "node:net";
import { FanfoldError } from "../lib/errors.ts";
import { formatHostPort, type HostPort } from "../lib/host-port.ts";
import { PORT_DEFAULT } from "../protocol/coordinator-port.ts";

/** Where a coordinator answers. */
export type CoordinatorAddress = HostPort;

/**
 * Reads what a person types: `host`, `host:port`, `[::1]:7337`, `::1`, or an `http://` URL of these.
 *
 * @throws FanfoldError `usage`
 */
export function parseCoordinatorAddress(text: string): CoordinatorAddress {
  const bare = text
    .trim()
    .replace(/^http:\/\//i, "")
    .replace(/\/$/, "");
  const match = /^\[([0-9a-f:.]+)\](?::(\d{1,5}))?$/i.exec(bare) ?? /^([^\s:/@[\]?#]+)(?::(\d{1,5}))?$/.exec(bare);
  const address = { host: match?.[1] ?? bare, port: match?.[2] === undefined ? PORT_DEFAULT : Number(match[2]) };
  if (address.port < 1 || address.port > 65_535 || !isHost(address)) {
    throw new FanfoldError(
      "usage",
      `cannot read the coordinator's address "${text}": expected HOST:PORT, such as localhost:${PORT_DEFAULT} or [::1]:${PORT_DEFAULT}`,
    );
  }
  return address;
}

/** Whether the address can be a part of a URL, and means the same there: a zone of IPv6 cannot. */
function isHost(address: CoordinatorAddress): boolean {
  if (address.host.includes(":")) return isIPv6(address.host) && !address.host.includes("%");
  return /^[^\s:/@[\]?#\\%]+$/.test(address.host) && URL.canParse(`ws://${formatHostPort(address)}`);
}
