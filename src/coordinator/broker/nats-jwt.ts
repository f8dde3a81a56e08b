import { encodeJws } from "../../lib/crypto/jws.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../protocol/subjects.ts";
import type { Nkey } from "./nats-nkey.ts";

/** What somebody may do at a NATS server. */
interface NatsRights {
  readonly pub: SubjectRule;
  readonly sub: SubjectRule;
}
type SubjectRule = { readonly allow: readonly string[] } | { readonly deny: readonly string[] };

interface Claims {
  readonly issuer: Nkey;
  /** Public key of whom the claims are about. */
  readonly subject: string;
  readonly name: string;
  readonly now: Date;
  /** Absent: for ever. */
  readonly ttlMs?: number;
}

/** Of a signing key: every user that it signs for has exactly these rights, whatever the user's JWT says. */
interface SigningScope {
  readonly role: string;
  readonly publicKey: string;
  readonly rights: NatsRights;
}

/** Whose JWT it is, by the tags that are put into the rights of its signing key. */
interface UserClaims extends Claims {
  readonly account: string;
  readonly tags: readonly string[];
  /** When it was signed, where that is to be told otherwise: it decides what a removal makes void. */
  readonly issued?: Date;
}

/** Public keys of users, and up to when what was signed for them is void: seconds since 1970. */
export type Revocations = Readonly<Record<string, number>>;

/** No limit of this kind. */
const UNLIMITED = -1;
/** Subscriptions of one connection at a time: one is used, and one more while it changes. */
const SUBSCRIPTIONS_MAX = 16;

const SESSION = subjectsOf("{{tag(session)}}");
/** Where the answers to the coordinator come. */
export const REMOVER_INBOX = "_INBOX.fanfold";

/** Where a server takes a new JWT of an account. */
export function claimsSubject(account: string): string {
  return `$SYS.REQ.ACCOUNT.${account}.CLAIMS.UPDATE`;
}

/** Who tells the server which credentials are void, in its system account: it changes this one account, and no more. */
export function removerRights(account: string): NatsRights {
  return { pub: { allow: [claimsSubject(account)] }, sub: { allow: [`${REMOVER_INBOX}.>`] } };
}

/** As P-2.6 says [P-2.6]. */
export const NATS_RIGHTS = {
  source: {
    pub: { allow: [SESSION.data, toSubject(SESSION, "*")] },
    sub: { allow: [upWildcard(SESSION)] },
  },
  sink: {
    pub: { allow: [upSubject(SESSION, "{{tag(sink)}}")] },
    sub: { allow: [SESSION.data, toSubject(SESSION, "{{tag(sink)}}")] },
  },
  coordinator: {
    pub: { deny: [">"] },
    sub: { allow: [upWildcard(subjectsOf("*"))] },
  },
} as const satisfies Record<string, NatsRights>;

/** @param signingKeys public keys that sign for the operator */
export function operatorJwt(claims: Claims, systemAccount: string, signingKeys: readonly string[] = []): string {
  return jwt(claims, { type: "operator", system_account: systemAccount, signing_keys: signingKeys });
}

/** An account whose users are all signed by these keys; without keys it has no users. */
export function accountJwt(claims: Claims, scopes: readonly SigningScope[], revocations: Revocations = {}): string {
  return jwt(claims, {
    type: "account",
    revocations,
    limits: {
      ...{ subs: UNLIMITED, data: UNLIMITED, payload: UNLIMITED, conn: UNLIMITED, leaf: UNLIMITED },
      disallow_bearer: true,
    },
    signing_keys: scopes.map(({ role, publicKey, rights }) => ({
      kind: "user_scope",
      key: publicKey,
      role,
      template: {
        ...rights,
        ...{ subs: SUBSCRIPTIONS_MAX, data: UNLIMITED, payload: UNLIMITED },
        // No bridges to other servers, web sites or MQTT.
        allowed_connection_types: ["STANDARD"],
      },
    })),
  });
}

/** It says nothing of rights: those of its signing key count, and a server refuses what has any of its own. */
export function userJwt({ account, tags, issued, ...claims }: UserClaims): string {
  return jwt(claims, { type: "user", issuer_account: account, tags }, issued);
}

function jwt(
  { issuer, subject, name, now, ttlMs }: Claims,
  nats: { readonly type: string } & Readonly<Record<string, unknown>>,
  issued = now,
): string {
  const iat = Math.floor(issued.getTime() / 1000);
  const exp = ttlMs === undefined ? {} : { exp: Math.floor(now.getTime() / 1000) + Math.floor(ttlMs / 1000) };
  const payload = { iss: issuer.publicKey, sub: subject, name, iat, ...exp, nats: { ...nats, version: 2 } };
  return encodeJws({ header: { typ: "JWT", alg: "ed25519-nkey" }, payload }, (input) => issuer.sign(input));
}
