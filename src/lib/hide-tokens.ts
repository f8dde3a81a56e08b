/** A secret age key, and a token, whole or cut, up to its role: the rest is no text for people. */
const AGE_KEY = /(AGE-SECRET-KEY-(?:PQ-)?1)[A-Z0-9]+/gi;
const AGE_KEY_HEAD = /age-secret-key-/i;
const TOKEN = /(ff1_(?:[a-z]{1,20}_)?)[a-z0-9_]{16,}/g;

/**
 * A text for people without the tokens and secret keys in it. Somebody puts one where something else is wanted, and is
 * told what was found there: that goes to logs and mails.
 */
export function withoutTokens(text: string): string {
  const withoutKeys = AGE_KEY_HEAD.test(text) ? text.replace(AGE_KEY, "$1…") : text;
  return withoutKeys.includes("ff1_") ? withoutKeys.replace(TOKEN, "$1…") : withoutKeys;
}
