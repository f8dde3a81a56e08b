/** When a session's frames are sealed: always, never, or where they may leave the machine. */
export const SEAL_MODES = ["auto", "on", "off"] as const;
export type SealMode = (typeof SEAL_MODES)[number];
