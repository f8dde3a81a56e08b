import { isIPv6 } from "node:net";
import { FanfoldError } from "../lib/errors.ts";
import { formatHostPort, type HostPort } from "../lib/net/host-port.ts";
import type { ServerTrust } from "../lib/tls/server-trust.ts";
import { PORT_DEFAULT } from "../protocol/coordinator-port.ts";

/** Where a coordinator answers, and by what it is known. */
export interface CoordinatorAddress extends HostPort {
  /** Absent: without TLS. */
  readonly trust?: ServerTrust | undefined;
}

/** What a person types. */
export interface TypedAddress extends HostPort {
  /** `http` asks for a connection without TLS, `https` for one with TLS. Absent: what is known decides. */
  readonly scheme?: "http" | "https";
}

const FORM = /^(?:(https?):\/\/)?(.*?)\/?$/i;

/**
 * Reads what a person types: `host`, `host:port`, `[::1]:7337`, `::1`, or a URL of these with `http://` or `https://`.
 *
 * @throws FanfoldError `usage`
 */
export function parseCoordinatorAddress(text: string): TypedAddress {
  const [, typed, bare = ""] = FORM.exec(text.trim()) ?? [];
  const match = /^\[([0-9a-f:.]+)\](?::(\d{1,5}))?$/i.exec(bare) ?? /^([^\s:/@[\]?#]+)(?::(\d{1,5}))?$/.exec(bare);
  const address = { host: match?.[1] ?? bare, port: match?.[2] === undefined ? PORT_DEFAULT : Number(match[2]) };
  if (address.port < 1 || address.port > 65_535 || !isHost(address)) {
    throw new FanfoldError(
      "usage",
      `cannot read the coordinator's address "${text}": expected HOST:PORT, such as localhost:${PORT_DEFAULT} or [::1]:${PORT_DEFAULT}, with http:// or https:// before it or without`,
    );
  }
  if (typed === undefined) return address;
  return { scheme: typed.toLowerCase() === "http" ? "http" : "https", ...address };
}

/** What `parseCoordinatorAddress` reads as the same. */
export function formatCoordinatorAddress({ scheme, ...where }: TypedAddress): string {
  return `${scheme === undefined ? "" : `${scheme}://`}${formatHostPort(where)}`;
}

/** Whether the address can be a part of a URL, and means the same there. A zone of IPv6 cannot, nor a token that was put there. */
function isHost(address: HostPort): boolean {
  // It would be asked for by name, at servers elsewhere.
  if (address.host.startsWith("ff1_")) return false;
  if (address.host.includes(":")) return isIPv6(address.host) && !address.host.includes("%");
  return /^[^\s:/@[\]?#\\%]+$/.test(address.host) && URL.canParse(`ws://${formatHostPort(address)}`);
}
