import { FanfoldError } from "../lib/errors.ts";
import { formatHostPort, isLoopbackHost, plainHost } from "../lib/net/host-port.ts";
import type { ClientCertificate } from "../lib/tls/client-certificate.ts";
import { ServerTrust } from "../lib/tls/server-trust.ts";
import { parseToken, type Token } from "../protocol/access/token.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { type CoordinatorAddress, parseCoordinatorAddress, type TypedAddress } from "./address.ts";
import {
  type CoordinatorMemory,
  findCoordinator,
  type RememberedCoordinator,
  rememberedAs,
  withCoordinator,
} from "./remembered-coordinators.ts";

/** What a member is given to reach its coordinator. */
export interface ContactOptions {
  /** `host:port`, with `http://` or `https://` before it or without. */
  readonly coordinator: string;
  /** Admits a member that the coordinator does not know yet, and names the coordinator's key. */
  readonly token?: string;
  /** For a coordinator that asks its clients for certificates. */
  readonly clientCertificate?: ClientCertificate;
}

/** The same, read and checked. */
interface AskedContact {
  readonly typed: TypedAddress;
  readonly token: Token | undefined;
  readonly client: ClientCertificate | undefined;
}

/** How a member reaches its coordinator. */
export interface Contact {
  readonly address: CoordinatorAddress;
  /** Called at each welcome: remembers how the coordinator is known. */
  readonly onWelcome: () => void;
}

/** @throws FanfoldError `usage` or `token-damaged` */
export function askedContact({ coordinator, token, clientCertificate }: ContactOptions): AskedContact {
  return {
    typed: parseCoordinatorAddress(coordinator),
    token: token === undefined ? undefined : parseToken(token),
    client: clientCertificate,
  };
}

/** @throws FanfoldError `usage` or `token-missing` */
export function contactOf(
  { typed, ...asked }: AskedContact,
  memory: CoordinatorMemory,
  emit: (event: LinkEvent) => void,
): Contact {
  const { host, port } = typed;
  const where = formatHostPort({ host: plainHost(host), port });
  const warn = (thrown: unknown): undefined => {
    const { code, message } = FanfoldError.from(thrown);
    emit({ type: "warning", code, message: `${message}; until then each start needs the token` });
  };
  const trust = trustFor(typed, { ...asked, remembered: recall(memory, where, warn) });
  const onWelcome = (): void => {
    if (trust === undefined) return;
    try {
      const text = withCoordinator(memory.read(), rememberedAs(where, trust.pin, trust.certificate));
      if (text !== undefined) memory.write(text);
    } catch (thrown) {
      warn(thrown);
    }
  };
  return { address: { host, port, trust }, onWelcome };
}

function recall(
  memory: CoordinatorMemory,
  where: string,
  warn: (thrown: unknown) => undefined,
): RememberedCoordinator | undefined {
  try {
    return findCoordinator(memory.read(), where);
  } catch (thrown) {
    return warn(thrown);
  }
}

interface Known extends Omit<AskedContact, "typed"> {
  readonly remembered: RememberedCoordinator | undefined;
}

/**
 * Decides how a coordinator is reached: without TLS (undefined), with TLS and a pinned key, or with TLS and authorities.
 *
 * @throws FanfoldError `usage` or `token-missing`
 */
export function trustFor(typed: TypedAddress, { token, remembered, client }: Known): ServerTrust | undefined {
  const { scheme, host } = typed;
  const isKnown = token !== undefined || remembered !== undefined;
  if (scheme === "http") return plain(typed, { token, client });
  if (scheme === undefined && !isKnown) {
    if (isLoopbackHost(host)) return plain(typed, { token, client });
    throw new FanfoldError(
      "token-missing",
      `cannot connect to the coordinator at ${formatHostPort(typed)}: found no token; set FANFOLD_TOKEN or --token-file, or write http:// before the address of a coordinator that runs with --insecure-open`,
    );
  }
  const pin = token?.pin ?? remembered?.pin ?? "";
  const certificate = remembered?.pin === pin ? remembered.certificate : undefined;
  return new ServerTrust({ pin, certificate, client });
}

function plain(typed: TypedAddress, { token, client }: Pick<Known, "token" | "client">): undefined {
  const what = `cannot connect to the coordinator at ${formatHostPort(typed)} without TLS`;
  if (token !== undefined && !isLoopbackHost(typed.host))
    throw new FanfoldError(
      "usage",
      `${what}: the token would be seen on the way; leave out http://, or give no token to a coordinator that runs with --insecure-open`,
    );
  if (client !== undefined)
    throw new FanfoldError("usage", `${what}: a client certificate needs TLS; write https:// before the address`);
  return undefined;
}
