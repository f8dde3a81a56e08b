import type { NetworkInterfaceInfo } from "node:os";
import { formatHostPort } from "../../lib/host-port.ts";

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

interface Bound {
  /** The value of `--host`. */
  readonly host: string;
  /** The address it became. */
  readonly address: string;
  readonly port: number;
}

/** What people can type at `--coordinator`, the most useful first. `interfaces` is what `os.networkInterfaces()` gives. */
export function clientAddresses(bound: Bound, interfaces: Interfaces): readonly string[] {
  const { host, address, port } = bound;
  if (isEveryAddress(address)) {
    const real = realAddresses(interfaces, address === "::");
    return (real.length === 0 ? ["localhost"] : real).map((each) => formatHostPort({ host: each, port }));
  }
  if (address === "127.0.0.1") return [formatHostPort({ host: "localhost", port })];
  return [formatHostPort({ host, port })];
}

function isEveryAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

function realAddresses(interfaces: Interfaces, withIpv6: boolean): readonly string[] {
  const all = Object.values(interfaces).flatMap((each) => each ?? []);
  const real = all.filter((each) => !each.internal);
  const ipv4 = real.filter((each) => each.family === "IPv4").map((each) => each.address);
  if (!withIpv6) return ipv4;
  // A link-local address works only together with the name of the reader's own interface.
  const ipv6 = real
    .filter((each) => each.family === "IPv6" && !/^fe[89ab]/i.test(each.address))
    .map((each) => each.address);
  return [...ipv4, ...ipv6];
}
