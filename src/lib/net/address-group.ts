import { plainAddress } from "./host-port.ts";
import { ipBytes } from "./ip-bytes.ts";

const IPV6_NETWORK_BYTES = 8;

/** What counts as one address where addresses are counted: of IPv6 the network, as whoever has one address has all of it. */
export function addressGroup(address: string): string {
  const bytes = ipBytes(plainAddress(address));
  if (bytes === undefined || bytes.length === 4) return plainAddress(address);
  return `${bytes.toString("hex", 0, IPV6_NETWORK_BYTES)}/64`;
}
