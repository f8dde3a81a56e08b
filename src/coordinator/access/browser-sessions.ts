import { createHash } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { TokenRecord } from "./access-store.ts";

/** Browsers that are logged in. */
const SESSIONS_MAX = 256;
/** Of them by one token: whoever holds it logs out nobody else. */
export const SESSIONS_PER_TOKEN_MAX = 32;
/** A working day. The token may end before. */
const LIFE_MS = 12 * 3_600_000;
const VALUE_BYTES = 16;
const VALUE = /^[0-9a-f]{32}$/;

interface BrowserSession {
  readonly tokenId: string;
  readonly untilMs: number;
}

/**
 * Browsers that showed a token once and have a cookie instead of it. No script of a page can read it, and no other site
 * makes a browser send it. They are forgotten when the coordinator ends.
 */
export class BrowserSessions {
  readonly #clock: Clock;
  readonly #random: Random;
  /** By the hash of the cookie's value, the oldest first. */
  readonly #sessions = new Map<string, BrowserSession>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The cookie for whoever showed this token. */
  open({ id: tokenId }: TokenRecord, cookie: CookiePlace): string {
    const value = this.#random.hex(VALUE_BYTES);
    this.#sessions.set(hashOf(value), { tokenId, untilMs: this.#clock.nowMs() + LIFE_MS });
    this.#makePlace(tokenId);
    return cookieText(cookie, value, LIFE_MS / 1000);
  }

  /** Id of the token that the browser of this header has shown. */
  tokenOf(header: string | undefined, cookie: CookiePlace): string | undefined {
    const value = valueIn(header, cookie);
    const session = value === undefined ? undefined : this.#sessions.get(hashOf(value));
    return session !== undefined && this.#clock.nowMs() < session.untilMs ? session.tokenId : undefined;
  }

  /** Ends it; gives the cookie that takes its place. */
  close(header: string | undefined, cookie: CookiePlace): string {
    const value = valueIn(header, cookie);
    if (value !== undefined) this.#sessions.delete(hashOf(value));
    return cookieText(cookie, "", 0);
  }

  /** The oldest browser of this token goes when the token has too many, else the oldest of all. */
  #makePlace(tokenId: string): void {
    const ofToken = [...this.#sessions].filter(([, session]) => session.tokenId === tokenId);
    const [oldest] = ofToken.length > SESSIONS_PER_TOKEN_MAX ? ofToken.map(([hash]) => hash) : this.#sessions.keys();
    const isFull = ofToken.length > SESSIONS_PER_TOKEN_MAX || this.#sessions.size > SESSIONS_MAX;
    if (isFull && oldest !== undefined) this.#sessions.delete(oldest);
  }
}

/** Browsers keep one cookie of a name for all ports of a host. */
export interface CookiePlace {
  readonly port: number;
  readonly isSecure: boolean;
}

/** The prefix makes browsers refuse one that another host or a plain connection wants to set. */
function nameOf({ port, isSecure }: CookiePlace): string {
  return `${isSecure ? "__Host-" : ""}fanfold-${port}`;
}

function cookieText(place: CookiePlace, value: string, lifeSeconds: number): string {
  const secure = place.isSecure ? "; Secure" : "";
  return `${nameOf(place)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${lifeSeconds}${secure}`;
}

function valueIn(header: string | undefined, place: CookiePlace): string | undefined {
  const begin = `${nameOf(place)}=`;
  const found = (header ?? "")
    .split(";")
    .map((each) => each.trim())
    .find((each) => each.startsWith(begin));
  const value = found?.slice(begin.length);
  return value !== undefined && VALUE.test(value) ? value : undefined;
}

function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}
