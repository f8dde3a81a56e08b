import { EXAMPLE_CHARS_MAX } from "../limits.ts";

/** Both ends of a long text tell more than its middle. */
export function cutMiddle(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const kept = Math.floor((maxChars - 1) / 2);
  return `${text.slice(0, kept)}…${text.slice(text.length - kept)}`.toWellFormed();
}

/** A shown path that is one of several examples. */
export function fitExample(path: string): string {
  return cutMiddle(path, EXAMPLE_CHARS_MAX);
}
