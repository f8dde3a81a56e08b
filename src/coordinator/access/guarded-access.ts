import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { scopeCovers } from "../../protocol/access/session-scope.ts";
import type { Access, Arrival } from "./access.ts";
import type { AccessStore, IdentityRecord, TokenRecord } from "./access-store.ts";
import { checkTokenIsGood, knownToken } from "./token-check.ts";

/** Members that the coordinator keeps in mind, with those that were removed. */
const IDENTITIES_MAX = 10_000;
/** Scopes of one member: each token for other sessions adds one, and the oldest goes. */
const SCOPES_MAX = 16;

interface GuardedAccessOptions {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

/**
 * Lets in who shows a token, and from then on whoever has the key that came with it. A token counts at the first
 * admission only: it may expire or be revoked while those that it let in stay.
 */
export class GuardedAccess implements Access {
  readonly #options: GuardedAccessOptions;

  constructor(options: GuardedAccessOptions) {
    this.#options = options;
  }

  admit(arrival: Arrival): void {
    const { store } = this.#options;
    const { identity: key, role } = arrival;
    const known = store.identity(key, role);
    const isRemoved = known !== undefined && known.removed !== null;
    if (known !== undefined && !isRemoved && covers(known, arrival.session)) {
      this.#seen(arrival);
      return;
    }
    if (known !== undefined && isRemoved) this.#checkIsNewer(arrival, known);
    const { token } = arrival;
    if (token === undefined) throw known === undefined ? tokenMissing(arrival) : outOfScope(arrival, scopesOf(known));
    this.#admitBy(token, arrival, isRemoved ? undefined : known);
  }

  called({ identity: key, role }: Pick<Arrival, "identity" | "role">, name: string): void {
    this.#note(() => this.#options.store.called({ key, role, name }));
  }

  mayEnter({ identity, role }: Pick<Arrival, "identity" | "role">, session: string): boolean {
    try {
      const known = this.#options.store.identity(identity, role);
      return known !== undefined && known.removed === null && covers(known, session);
    } catch {
      return false; // The state cannot be read: whoever is not known to be let in is not.
    }
  }

  #admitBy(text: string, arrival: Arrival, known: IdentityRecord | undefined): void {
    const { store, clock } = this.#options;
    const { identity: key, role, label: name, session, clientTimeMs } = arrival;
    const record = knownToken(text, (id) => store.token(id));
    checkTokenIsGood(record, { nowMs: clock.date().getTime(), clientTimeMs });
    if (record.role !== role) throw wrongRole(arrival, record);
    if (!scopeCovers(record.scope, session)) throw outOfScope(arrival, [record.scope]);
    if (known === undefined && store.countIdentities() >= IDENTITIES_MAX) throw tooMany();
    const scopes = [...(known === undefined ? [] : scopesOf(known)), record.scope].slice(-SCOPES_MAX).join(" ");
    if (!this.#write(() => store.admit({ key, role, name, scopes }, record.id, clock.date())))
      checkTokenIsGood({ ...record, usesLeft: 0 }, { nowMs: 0 });
  }

  /** Who was removed comes back only by a token that was made later. */
  #checkIsNewer({ token, role }: Arrival, { removedSerial }: IdentityRecord): void {
    const { store } = this.#options;
    const refusal = new FanfoldError(
      "member-removed",
      `cannot let this ${role} in: it was removed by who runs the coordinator; only a token that was made after that lets it in again`,
    );
    if (token === undefined) throw refusal;
    let serial: number;
    try {
      serial = knownToken(token, (id) => store.token(id)).serial;
    } catch {
      throw refusal;
    }
    if (serial <= (removedSerial ?? 0)) throw refusal;
  }

  #seen({ identity: key, role }: Arrival): void {
    const { store, clock } = this.#options;
    this.#note(() => store.seen({ key, role }, clock.date()));
  }

  /** What is for people alone keeps nobody out. */
  #note(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      this.#options.warn(
        `cannot write down when a member was seen: ${FanfoldError.from(thrown).message}; it is let in all the same`,
      );
    }
  }

  /** What is not on the disk is not admitted: a use could be spent twice. */
  #write<T>(write: () => T): T {
    try {
      return write();
    } catch (thrown) {
      const { message } = FanfoldError.from(thrown);
      this.#options.warn(`cannot write down who was let in: ${message}; nobody new is let in until that works`);
      throw new FanfoldError(
        "refused",
        "cannot let anybody new in: the coordinator cannot write its state; tell who runs it, and try again",
        { cause: thrown },
      );
    }
  }
}

function scopesOf({ scopes }: IdentityRecord): readonly string[] {
  return scopes.split(" ");
}

function covers(record: IdentityRecord, session: string): boolean {
  return scopesOf(record).some((scope) => scopeCovers(scope, session));
}

function tokenMissing({ role, session }: Arrival): FanfoldError {
  return new FanfoldError(
    "token-missing",
    `cannot let this ${role} into session "${session}": the coordinator does not know it, and it showed no token; set FANFOLD_TOKEN or --token-file to a token for a ${role}`,
  );
}

function wrongRole({ role }: Arrival, { id, role: found }: TokenRecord): FanfoldError {
  return new FanfoldError(
    "token-role",
    `cannot let this ${role} in by the token ${id}: it is for the role ${found}; use one that was made with --role ${role}`,
  );
}

function outOfScope({ role, session }: Arrival, scopes: readonly string[]): FanfoldError {
  const found = scopes.map((scope) => `"${scope}"`).join(", ");
  return new FanfoldError(
    "token-session",
    `cannot let this ${role} into session "${session}": it may enter ${found}; use another --session, or a token that was made for this one`,
  );
}

function tooMany(): FanfoldError {
  return new FanfoldError(
    "too-many",
    `cannot let anybody new in: ${IDENTITIES_MAX} members are known already; who runs the coordinator can remove those that are gone with fanfold members remove`,
  );
}
