/** Other: control, format, surrogate, private use, unassigned; line and paragraph separators; every space but U+0020. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const REPLACEMENT = "\u{fffd}";

/**
 * A decoded message of a peer with every text in it harmless for terminals and logs. Peers escape what they say, so
 * that nothing is left to do. What a broken or hostile one sends is replaced. No text grows by it, so that what
 * was within its limits stays there.
 */
export function withSafeText<T>(value: T): T {
  return safe(value) as T;
}

function safe(value: unknown): unknown {
  if (typeof value === "string") return value.replace(UNSAFE, REPLACEMENT);
  if (Array.isArray(value)) return value.map(safe);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.replace(UNSAFE, REPLACEMENT), safe(each)]));
}
