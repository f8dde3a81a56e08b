/** What a transport accepts as a subject or a pattern [P-2.1]. Narrower than any broker's rules, so that all agree. */
const SUBJECT = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Fits the one-byte length of the embedded wire, and AMQP's routing key. */
const SUBJECT_BYTES_MAX = 255;

const WILDCARD_END = ".*";

/** Tokens of `[A-Za-z0-9_-]`, separated by dots. */
export function isSubject(text: string): boolean {
  return text.length <= SUBJECT_BYTES_MAX && SUBJECT.test(text);
}

/** A subject, or a subject with `.*` after it. */
export function isPattern(text: string): boolean {
  return isSubject(wildcardPrefix(text) ?? text) && text.length <= SUBJECT_BYTES_MAX;
}

/** The `a.b` of `a.b.*`; undefined for anything else. */
export function wildcardPrefix(pattern: string): string | undefined {
  return pattern.endsWith(WILDCARD_END) ? pattern.slice(0, -WILDCARD_END.length) : undefined;
}
