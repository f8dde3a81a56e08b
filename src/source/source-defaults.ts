/** What a source does unless it is told otherwise: for the command and for the library. */
export const SOURCE_DEFAULTS = {
  connectTimeoutMs: 30_000,
  sinkTimeoutMs: 600_000,
  stragglers: "detach",
  links: "keep",
  compression: "auto",
  delta: "auto",
  seal: "auto",
} as const;
