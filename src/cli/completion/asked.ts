/** What only the coordinator, or a configuration file, knows. */
export const ASKED_KINDS = ["sessions", "history", "sinks", "members", "tokens", "profiles"] as const;
export type AskedKind = (typeof ASKED_KINDS)[number];

/** By the name of an option or argument. One that has several meanings stands behind the command or its group. */
export const ASKED: ReadonlyMap<string, AskedKind> = new Map([
  ["session", "sessions"],
  ["expect", "sinks"],
  ["sink", "sinks"],
  ["who", "members"],
  ["token id", "tokens"],
  ["session id", "history"],
  ["profile", "profiles"],
]);
