/** Where a sink is on its way; `proven` and what stands behind it are ends. */
export const SINK_STATES = [
  "registered",
  "receiving",
  /** It says what it would want: a dry run. */
  "comparing",
  "verifying",
  /** The others wait for it, or it is silent. */
  "lagging",
  /** Served on a lane of its own: it was too slow, came late or came back. */
  "detached",
  "away",
  "proven",
  /** Proven but for what was taken as unchanged. */
  "complete",
  "incomplete",
  "dry-run",
  "failed",
] as const;
