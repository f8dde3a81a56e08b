import { FanfoldError } from "../../lib/errors.ts";
import { SESSION_NAME_CHARS_MAX } from "../limits.ts";

const FORM = new RegExp(`^[A-Za-z0-9._*-]{1,${SESSION_NAME_CHARS_MAX}}$`);

/**
 * The sessions that a token admits to: a name in which `*` stands for any run of characters, also for none.
 *
 * @throws FanfoldError `usage`
 */
export function parseSessionScope(text: string): string {
  if (FORM.test(text)) return text;
  throw new FanfoldError(
    "usage",
    `cannot use "${text.slice(0, SESSION_NAME_CHARS_MAX)}" as names of sessions: want letters, digits, dot, dash, underscore and *, at most ${SESSION_NAME_CHARS_MAX} of them`,
  );
}

/** Whether a scope that `parseSessionScope` took covers a session. It reads each part once: no scope makes it slow. */
export function scopeCovers(scope: string, session: string): boolean {
  const [head = "", ...rest] = scope.split("*");
  const tail = rest.pop();
  if (tail === undefined) return session === head;
  const isFramed = session.length >= head.length + tail.length && session.startsWith(head) && session.endsWith(tail);
  if (!isFramed) return false;
  const end = session.length - tail.length;
  let at = head.length;
  for (const part of rest) {
    const found = session.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
