/** The coordinator's port when nobody names another. */
export const PORT_DEFAULT = 7337;

/** What the one port serves, by path [P-1.1] [P-2.3]. */
export const PORT_PATHS = {
  /** WebSocket: the control channel. */
  control: "/control",
  /** Upgrade to the embedded relay. */
  relay: "/relay",
  /** Whether members can join. */
  health: "/healthz",
  /** Whether the process answers. */
  live: "/livez",
} as const;
