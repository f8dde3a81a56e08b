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
  const match =
    /^\[([0-9a-f:.]+(?:%\w+)?)\](?::(\d{1,5}))?$/i.exec(bare) ?? /^([^\s:/@[\]?#]+)(?::(\d{1,5}))?$/.exec(bare);
  const host = match?.[1] ?? (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(bare) ? bare : undefined);
  const port = match?.[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new FanfoldError(
      "usage",
      `Read the coordinator's address "${text}": expected HOST:PORT, such as localhost:${DEFAULT_PORT} or [::1]:${DEFAULT_PORT}`,
    );
  }
  return { host, port };
}

export function formatAddress(address: CoordinatorAddress): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
