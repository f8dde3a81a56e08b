import type { Clock } from "../../lib/clock.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { EVERY_SESSION } from "../../protocol/access/every-session.ts";
import type { MemberView, ShownToken, TokenOrder, TokenView } from "../../protocol/access/operator-api.ts";
import { parseSessionScope } from "../../protocol/access/session-scope.ts";
import { formatToken, TOKEN_ID_CHARS } from "../../protocol/access/token.ts";
import { TOKEN_TTL_HOURS_DEFAULT } from "../../protocol/limits.ts";
import type { AccessStore, IdentityRecord, NewToken, TokenRecord } from "./access-store.ts";
import { secretHash } from "./token-check.ts";
import type { TokenKey } from "./token-key.ts";

/** Tokens that are kept; those that admit nobody any more make place for new ones. */
const TOKENS_MAX = 1000;
const TTL_DEFAULT_MS = TOKEN_TTL_HOURS_DEFAULT * 3_600_000;
/** Names of facts. */
const SERVING = "serving";
const FIRST_TOKENS = "first-tokens";

/** Where members reach the coordinator, and by which key. It is kept, so that tokens can be shown when none runs. */
interface Serving {
  /** What to type at `--coordinator`, the most useful first. */
  readonly addresses: readonly string[];
  /** Of the tokens' text; empty where authorities vouch for the certificate, or without TLS. */
  readonly pin: string;
}

interface DeskOptions {
  readonly store: AccessStore;
  readonly key: TokenKey;
  readonly clock: Clock;
  readonly random: Random;
  /** Cuts off a member that was removed. */
  readonly cut: (identity: string) => void;
}

/** What those who run a coordinator do with tokens and members. */
export class AccessDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get #store(): AccessStore {
    return this.#options.store;
  }

  /** At the start of a coordinator. */
  serve(serving: Serving): void {
    const kept = this.#store.tokens().filter(({ revoked, usesLeft }) => revoked === null && usesLeft !== 0);
    this.#store.forgetRemoved(kept.map(({ serial }) => serial));
    this.#store.setFact(SERVING, JSON.stringify(serving));
  }

  /**
   * A token for a source and one for a sink, once in the life of this state: who revokes them does not get them again. Gives
   * those that it made now.
   */
  makeFirstTokens(): readonly ShownToken[] {
    const wereMade = this.#store.fact(FIRST_TOKENS) !== undefined;
    if (wereMade || this.#store.tokens().some(({ first }) => first !== 0)) return [];
    const order = { session: EVERY_SESSION, ttlMs: null, note: "first start" };
    const roles = ["source", "sink"] as const;
    const tokens = roles.map((role) => this.#newToken({ ...order, role }, true));
    this.#store.addTokens(tokens);
    this.#store.setFact(FIRST_TOKENS, "made");
    return tokens.map(({ id }) => this.showToken(id));
  }

  /** @throws FanfoldError `usage` or `too-many` */
  createToken(order: TokenOrder): ShownToken {
    const token = this.#newToken(order, false);
    this.#makePlace();
    this.#write(() => this.#store.addTokens([token]));
    return this.showToken(token.id);
  }

  tokens(): readonly TokenView[] {
    return this.#store.tokens().map((record) => this.#viewOf(record));
  }

  /** With its secret. @throws FanfoldError `token-unknown` */
  showToken(id: string): ShownToken {
    const record = this.#token(id);
    const { addresses, pin } = this.#serving();
    const secret = this.#options.key.secretOf(id);
    if (secretHash(secret) !== record.secretHash)
      throw new FanfoldError(
        "token-unknown",
        `cannot show the token ${id}: it was made with another token.key than the one in the state directory; revoke it and make another`,
      );
    const token = formatToken({ role: record.role, pin, id, secret });
    return { ...this.#viewOf(record), token, addresses: [...addresses] };
  }

  /** @throws FanfoldError `token-unknown` */
  revokeToken(id: string): TokenView {
    this.#token(id);
    this.#write(() => this.#store.revokeToken(id, this.#options.clock.date()));
    return this.#viewOf(this.#token(id));
  }

  members(): readonly MemberView[] {
    return this.#store.identities().map(memberView);
  }

  /** Its connections are closed, and only a token that is made later lets it in again. @throws FanfoldError `member-unknown` */
  removeMember(key: string): readonly MemberView[] {
    const removed = this.#members(key);
    this.#write(() => this.#store.remove(key, this.#options.clock.date()));
    this.#options.cut(key);
    return removed;
  }

  /** @throws FanfoldError `member-unknown` or `name-taken` */
  renameMember(key: string, name: string): readonly MemberView[] {
    this.#members(key);
    const taken = this.#store.identities().find((each) => each.name === name && each.key !== key);
    if (taken !== undefined)
      throw new FanfoldError(
        "name-taken",
        `cannot rename a member to "${name}": ${taken.key.slice(0, 8)}… has this name; choose another`,
      );
    this.#write(() => this.#store.rename(key, name));
    return this.#members(key);
  }

  #newToken(order: TokenOrder, isFirst: boolean): NewToken {
    const { role, session = EVERY_SESSION, ttlMs = TTL_DEFAULT_MS, uses, note = "" } = order;
    const scope = parseSessionScope(session);
    const isMembers = role === "source" || role === "sink";
    if (!isMembers && (uses !== undefined || scope !== EVERY_SESSION))
      throw new FanfoldError(
        "usage",
        `cannot make a token for the role ${role} with a session or a number of uses: these limit who takes part in sessions; leave both out`,
      );
    const id = this.#options.random.id(TOKEN_ID_CHARS);
    const created = this.#options.clock.date();
    const expires = ttlMs === null ? null : new Date(created.getTime() + ttlMs).toISOString();
    const hash = secretHash(this.#options.key.secretOf(id));
    const limits = { scope, created: created.toISOString(), expires, usesLeft: uses ?? null };
    return { id, role, secretHash: hash, ...limits, note, first: Number(isFirst) };
  }

  /** What nobody can come in by any more is forgotten when there is no place left. */
  #makePlace(): void {
    const tokens = this.#store.tokens();
    if (tokens.length < TOKENS_MAX) return;
    const over = tokens.filter((record) => this.#stateOf(record) !== "good");
    if (over.length === 0)
      throw new FanfoldError(
        "too-many",
        `cannot make a token: ${TOKENS_MAX} are good already; revoke those that nobody needs with fanfold token revoke`,
      );
    this.#store.forgetTokens(over.map(({ id }) => id));
  }

  /** @throws FanfoldError `disk-failed` */
  #write(write: () => void): void {
    try {
      write();
    } catch (cause) {
      throw new FanfoldError(
        "disk-failed",
        `cannot write the state of the coordinator: ${reasonOf(cause)}; nothing was changed; make room, or check its disk`,
        { cause },
      );
    }
  }

  #token(id: string): TokenRecord {
    const record = this.#store.token(id);
    if (record !== undefined) return record;
    throw new FanfoldError(
      "token-unknown",
      `cannot find the token ${JSON.stringify(id.slice(0, 16))}: the coordinator has none with this id; fanfold token list shows all`,
    );
  }

  #members(key: string): readonly MemberView[] {
    const members = this.#store.identities().filter((each) => each.key === key);
    if (members.length > 0) return members.map(memberView);
    throw new FanfoldError(
      "member-unknown",
      `cannot find the member ${JSON.stringify(key.slice(0, 64))}: nobody with this key was let in; fanfold members list shows all`,
    );
  }

  #serving(): Serving {
    const text = this.#store.fact(SERVING);
    return text === undefined ? { addresses: [], pin: "" } : (JSON.parse(text) as Serving);
  }

  #stateOf({ revoked, expires, usesLeft }: TokenRecord): TokenView["state"] {
    if (revoked !== null) return "revoked";
    if (expires !== null && this.#options.clock.date().getTime() >= Date.parse(expires)) return "expired";
    return usesLeft === 0 ? "used-up" : "good";
  }

  #viewOf(record: TokenRecord): TokenView {
    const { id, role, scope: session, created, expires, usesLeft, note, revoked, first } = record;
    return {
      id,
      role,
      session,
      state: this.#stateOf(record),
      created,
      ...(expires === null ? {} : { expires }),
      ...(usesLeft === null ? {} : { usesLeft }),
      ...(note === "" ? {} : { note }),
      ...(revoked === null ? {} : { revoked }),
      first: first !== 0,
    };
  }
}

function memberView({ key, role, name, scopes, tokenId: token, admitted, seen }: IdentityRecord): MemberView {
  return { key, role, name, sessions: scopes.split(" "), token, admitted, seen };
}
