import { isIPv6 } from "node:net";
import { FanfoldError } from "../lib/errors.ts";

/** Where a coordinator answers. */
export interface CoordinatorAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_PORT = 7337;

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
  const address = { host: match?.[1] ?? bare, port: match?.[2] === undefined ? DEFAULT_PORT : Number(match[2]) };
  if (address.port < 1 || address.port > 65_535 || !isHost(address)) {
    throw new FanfoldError(
      "usage",
      `Read the coordinator's address "${text}": expected HOST:PORT, such as localhost:${DEFAULT_PORT} or [::1]:${DEFAULT_PORT}`,
    );
  }
  return address;
}

/** Whether the address can be a part of a URL, and means the same there: a zone of IPv6 cannot. */
function isHost(address: CoordinatorAddress): boolean {
  if (address.host.includes(":")) return isIPv6(address.host) && !address.host.includes("%");
  return /^[^\s:/@[\]?#\\%]+$/.test(address.host) && URL.canParse(`ws://${formatAddress(address)}`);
}

export function formatAddress(address: CoordinatorAddress): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
