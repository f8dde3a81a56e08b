import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { TokenRole } from "../../protocol/access/token-role.ts";
import type { PortRequest } from "../port/port-request.ts";
import type { TokenRecord } from "./access-store.ts";
import type { BrowserSessions, CookiePlace } from "./browser-sessions.ts";
import { checkTokenIsGood, knownToken } from "./token-check.ts";

/** What a request asks for: what its own token is, to read, or to change what others may do. */
export type Right = "own" | "read" | "change";

interface GatekeeperOptions {
  readonly find: (id: string) => TokenRecord | undefined;
  readonly browsers: BrowserSessions;
  readonly clock: Clock;
}

const RIGHTS: Readonly<Record<TokenRole, readonly Right[]>> = {
  source: ["own"],
  sink: ["own"],
  observer: ["own", "read"],
  admin: ["own", "read", "change"],
};
const BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;

/** Who may use the API: the holder of a token for an observer or an admin, or a browser that has shown one. */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /** The token by which a request is granted. @throws FanfoldError one of the codes of tokens, or `refused` */
  check(request: PortRequest, right: Right): TokenRecord {
    if (request.headers.authorization !== undefined || request.headers.cookie !== undefined) checkPrivacy(request);
    const record = this.#bearer(request) ?? this.#browser(request, right);
    if (record === undefined)
      throw new FanfoldError(
        "token-missing",
        "cannot grant the request: it showed no token; set FANFOLD_TOKEN or --token-file to a token for an observer or an admin",
      );
    checkTokenIsGood(record, { nowMs: this.#options.clock.date().getTime() });
    const { role, id } = record;
    if (RIGHTS[role].includes(right)) return record;
    const wanted = right === "change" ? "admin" : "observer or admin";
    throw new FanfoldError(
      "token-role",
      `cannot grant the request by the token ${id}: it is for the role ${role}; use a token that was made with --role ${wanted}`,
    );
  }

  #bearer({ headers }: PortRequest): TokenRecord | undefined {
    const text = BEARER.exec(headers.authorization ?? "")?.[1];
    return text === undefined ? undefined : knownToken(text, this.#options.find);
  }

  /** A page of another site gets no browser to send the cookie. A change has to say that its own page asks for it, too. */
  #browser(request: PortRequest, right: Right): TokenRecord | undefined {
    const { find, browsers } = this.#options;
    const { headers } = request;
    const id = browsers.tokenOf(headers.cookie, cookieOf(request));
    if (id === undefined) return undefined;
    // The port has compared the origin with the host.
    const isOwnPage = headers.origin !== undefined || headers["sec-fetch-site"] === "same-origin";
    if (right !== "change" || isOwnPage) return find(id);
    throw new FanfoldError(
      "refused",
      "cannot grant the request: it came with a cookie, and does not say from which page; want the header Origin",
    );
  }
}

export function cookieOf({ port, isSecure }: PortRequest): CookiePlace {
  return { port, isSecure };
}

function checkPrivacy({ isPrivate }: PortRequest): void {
  if (isPrivate) return;
  throw new FanfoldError(
    "refused",
    "cannot grant the request: its token came over the network in plain text, where others may have read it; revoke it, and use https://",
  );
}
