import { createHash } from "node:crypto";
import { encodeBase32 } from "../../lib/crypto/base32.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { TOKEN_CHARS_MAX } from "../limits.ts";
import { isTokenRole, type TokenRole } from "./token-role.ts";

/** What a token says [P-1.8]. Its text is a secret: it stands in no error, log, event, argument or URL. */
export interface Token {
  readonly role: TokenRole;
  /** Base32 of the SHA-256 of the coordinator's public key; empty when the ordinary authorities vouch for it. */
  readonly pin: string;
  /** Finds the token at the coordinator. */
  readonly id: string;
  /** Base32 of 128 random bits. */
  readonly secret: string;
}

/** Of its id, from `[a-z0-9]`. */
export const TOKEN_ID_CHARS = 8;
/** Bytes of its secret. */
export const TOKEN_SECRET_BYTES = 16;

const CHECK_CHARS = 4;
const FORM = /^ff1_([a-z]+)_((?:[a-z2-7]{52})?)_([a-z0-9]{8})_([a-z2-7]{26})[a-z2-7]{4}$/;
const WHAT = "cannot read the token";
const REMEDY = "copy it again, whole; on the coordinator's machine, fanfold token show prints it";

/** Whether a token stands in the text, perhaps a damaged one. Such a text is not to be shown to others. */
export function holdsToken(text: string): boolean {
  return /ff1_[a-z]+_/i.test(text);
}

export function formatToken({ role, pin, id, secret }: Token): string {
  const body = `ff1_${role}_${pin}_${id}_${secret}`;
  return body + checkOf(body);
}

/** @throws FanfoldError `token-damaged` */
export function parseToken(text: string): Token {
  if (!text.startsWith("ff1_")) throw damaged('it does not begin with "ff1_"');
  const form = text.length > TOKEN_CHARS_MAX ? null : FORM.exec(text);
  if (form === null) throw damaged(`its ${text.length} characters are not those of a token`);
  if (checkOf(text.slice(0, -CHECK_CHARS)) !== text.slice(-CHECK_CHARS))
    throw damaged("its last four characters do not fit the others, so it is not as it was made");
  const [, role = "", pin = "", id = "", secret = ""] = form;
  if (!isTokenRole(role)) throw damaged("this release does not know its role");
  return { role, pin, id, secret };
}

/** Tells a cut or mistyped token from a wrong one; it keeps nobody out. */
function checkOf(body: string): string {
  return encodeBase32(createHash("sha256").update(body).digest()).slice(0, CHECK_CHARS).toLowerCase();
}

function damaged(found: string): FanfoldError {
  return new FanfoldError("token-damaged", `${WHAT}: ${found}; ${REMEDY}`);
}
