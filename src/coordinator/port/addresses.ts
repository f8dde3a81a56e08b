import type { NetworkInterfaceInfo } from "node:os";
import { formatHostPort, isLoopbackHost, plainHost } from "../../lib/net/host-port.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

interface Bound {
  /** The value of `--host`. */
  readonly host: string;
  /** The address it became. */
  readonly address: string;
  readonly port: number;
  readonly access: AccessMode;
  /** Those of `--allow-host`: somebody chose them for others to use. */
  readonly names: readonly string[];
}

/** What people can type at `--coordinator`, the most useful first. `interfaces` is what `os.networkInterfaces()` gives. */
export function clientAddresses(bound: Bound, interfaces: Interfaces): readonly string[] {
  const isLoopback = isLoopbackHost(bound.address);
  // Beyond its own machine, a member takes no coordinator without TLS unless it is told so.
  const scheme = bound.access === "insecure-open" && !isLoopback ? "http://" : "";
  const { names, port } = bound;
  const chosen = names.map((name) => formatHostPort({ host: plainHost(name), port }));
  return [...new Set([...chosen, ...hostPorts(bound, interfaces)])].map((each) => scheme + each);
}

function hostPorts({ host, address, port }: Bound, interfaces: Interfaces): readonly string[] {
  if (isEveryAddress(address)) {
    const real = realAddresses(interfaces, address === "::");
    return (real.length === 0 ? ["localhost"] : real).map((each) => formatHostPort({ host: each, port }));
  }
  if (address === "127.0.0.1") return [formatHostPort({ host: "localhost", port })];
  return [formatHostPort({ host, port })];
}

/** Names and addresses of this machine, for its certificate. */
export function hostNames(machineName: string, interfaces: Interfaces): readonly string[] {
  return [machineName, `${machineName}.local`, "localhost", "127.0.0.1", "::1", ...realAddresses(interfaces, true)];
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
