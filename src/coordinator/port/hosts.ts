import { isIP } from "node:net";
import { isLocalName, plainHost } from "../../lib/net/host-port.ts";

/**
 * Which host names a request may use here (D3) [P-1.1]. Any web page can make a browser send requests to `localhost`, or to
 * its own name that DNS points here.
 *
 * A browser sends no `Sec-Fetch-` header to a name that it does not trust, and no `Origin` with a plain GET. So a plain
 * request is always checked. An upgrade is another matter: pages can only ask for WebSockets, and with these every
 * browser sends the `Origin`. An upgrade without it comes from a program, to which a person gave the name.
 */
export interface HostRules {
  /** The value of `--host`. */
  readonly bindHost: string;
  /** The name of this machine, as the system knows it. */
  readonly machineName: string;
  /** Names that `--allow-host` adds. */
  readonly allowHosts: readonly string[];
}

type AddressHeaders = Readonly<Record<string, string | readonly string[] | undefined>> & {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
};

/** Why an upgrade is turned away; undefined when it may go on. Our own clients use any name that leads here. */
export function upgradeRefusal(headers: AddressHeaders, rules: HostRules): string | undefined {
  return isFromBrowser(headers) ? hostRefusal(headers, rules) : undefined;
}

/** Drafts of the WebSocket protocol that the server still accepts had the origin in a header of another name. */
const DRAFT_ORIGIN = "sec-websocket-origin";

function isFromBrowser(headers: AddressHeaders): boolean {
  return Object.keys(headers).some(
    (name) => name === "origin" || name === DRAFT_ORIGIN || name.startsWith("sec-fetch-"),
  );
}

/**
 * Why a request is turned away; undefined when it may go on. A name that somebody else's DNS points here is foreign,
 * and so is a page that was loaded from elsewhere. Numeric addresses are no names, so nobody can rebind them.
 */
export function hostRefusal(headers: AddressHeaders, rules: HostRules): string | undefined {
  const host = parseHost(headers.host);
  if (host === undefined)
    return 'cannot answer a request: its "Host" header is missing or not an address; want the host and port of this coordinator';
  if (!isOwnName(host.name, rules)) {
    return `cannot answer a request for the host "${host.name}": this coordinator does not have that name; use its numeric address, or start it with --allow-host ${host.name}`;
  }
  const origins = [headers.origin, headers[DRAFT_ORIGIN]].filter((origin) => origin !== undefined);
  if (!origins.every((origin) => isSameOrigin(String(origin), host.whole))) {
    return "cannot answer a request of a web page: the page comes from another site; open the page of this coordinator itself, or allow the name with --allow-host";
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
  const name = plainHost(header.replace(/:\d+$/, ""));
  return name === "" ? undefined : { name, whole: header };
}

function isOwnName(name: string, rules: HostRules): boolean {
  if (isIP(name) !== 0 || isLocalName(name)) return true;
  const machine = plainHost(rules.machineName);
  if (machine !== "" && (name === machine || name === `${machine}.local`)) return true;
  return [rules.bindHost, ...rules.allowHosts].some((allowed) => plainHost(allowed) === name);
}

function isSameOrigin(origin: string, host: string): boolean {
  const page = URL.parse(origin);
  if (page === null || (page.protocol !== "http:" && page.protocol !== "https:")) return false;
  // Through the same parser, so that a default port and the case of letters make no difference.
  return page.host === URL.parse(`${page.protocol}//${host}`)?.host;
}
