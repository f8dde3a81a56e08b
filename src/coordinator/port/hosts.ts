import { isIP } from "node:net";

/** Who may be addressed here: any web page can make a browser send requests to `localhost` (D3) [P-1.1]. */
export interface HostRules {
  /** The value of `--host`. */
  readonly bindHost: string;
  /** The name of this machine, as the system knows it. */
  readonly machineName: string;
  /** Names that `--allow-host` adds. */
  readonly allowHosts: readonly string[];
}

interface AddressHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/**
 * Why a request is turned away; undefined when it may go on. A name that somebody else's DNS points here is foreign,
 * and so is a page that was loaded from elsewhere. Numeric addresses are no names, so nobody can rebind them.
 */
export function hostRefusal(headers: AddressHeaders, rules: HostRules): string | undefined {
  const host = parseHost(headers.host);
  if (host === undefined)
    return 'Answer a request: its "Host" header is missing or no address; want the host and port of this coordinator';
  if (!isOwnName(host.name, rules)) {
    return `Answer a request for the host "${host.name}": it is no name of this coordinator; use its numeric address, or start it with --allow-host ${host.name}`;
  }
  if (headers.origin !== undefined && !isSameOrigin(headers.origin, host.whole)) {
    return "Answer a request of a web page: the page is not one of this coordinator, and others may not use it; open this coordinator under one address, and add its name with --allow-host if need be";
  }
  return undefined;
}

interface ParsedHost {
  /** In lower case, without port, brackets and final dot. */
  readonly name: string;
  readonly whole: string;
}

function parseHost(header: string | undefined): ParsedHost | undefined {
  if (header === undefined || !/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(header)) return undefined;
  const name = plainName(header.replace(/:\d+$/, ""));
  return name === "" ? undefined : { name, whole: header };
}

function plainName(name: string): string {
  return name
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
}

function isOwnName(name: string, rules: HostRules): boolean {
  if (isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost")) return true;
  const machine = plainName(rules.machineName);
  if (machine !== "" && (name === machine || name === `${machine}.local`)) return true;
  return [rules.bindHost, ...rules.allowHosts].some((allowed) => plainName(allowed) === name);
}

function isSameOrigin(origin: string, host: string): boolean {
  const page = URL.parse(origin);
  if (page === null || (page.protocol !== "http:" && page.protocol !== "https:")) return false;
  // Through the same parser, so that a default port and the case of letters make no difference.
  return page.host === URL.parse(`${page.protocol}//${host}`)?.host;
}
