/** Where something listens: a name or an address without brackets, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, as in a URL: an IPv6 address has brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** A name in lower case, or an address, as a URL or a `Host` header has it: without brackets and final dot. */
export function plainHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
}

/** An IPv4 address as such, also where a socket for both families shows it as `::ffff:10.0.0.3`. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
}

/** 127.0.0.0/8, as it is written out. No module of Node.js is asked: the web page asks this, too. */
const LOOPBACK_IPV4 = /^127(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/** Whether only this machine reaches the name or the address. */
export function isLoopbackHost(host: string): boolean {
  const plain = plainAddress(plainHost(host));
  if (plain === "::1" || LOOPBACK_IPV4.test(plain)) return true;
  return isLocalName(plain);
}

/** `localhost` and what is below it: names that no DNS may point elsewhere. */
export function isLocalName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}
