/** The coordinator's port when nobody names another. */
export const PORT_DEFAULT = 7337;

/** What the one port serves, by path [P-1.1] [P-2.3]. */
export const PORT_PATHS = {
  /** WebSocket: the control channel. */
  control: "/control",
  /** Whether members can join. */
  health: "/healthz",
  /** Whether the process answers. */
  live: "/livez",
  /** The same as the health, under the name that orchestrators look for. */
  ready: "/readyz",
  /** For Prometheus. */
  metrics: "/metrics",
  /** All paths under it: the API. */
  api: "/api/",
} as const;

/** Whether the API answers under this path: all that somebody may have to show a token for. */
export function isApiPath(path: string): boolean {
  return path.startsWith(PORT_PATHS.api) || path === PORT_PATHS.metrics;
}

/** What the web page is loaded from, by path. The page itself decides what it shows for each of its own. */
export const PAGE_PATHS = {
  start: "/",
  sessions: "/sessions/",
  files: "/web/",
} as const;

/** Whether the web page, or one of its files, is asked for. */
export function isPagePath(path: string): boolean {
  const { start, sessions, files } = PAGE_PATHS;
  return path === start || path.startsWith(sessions) || path.startsWith(files);
}

/** The header by which a member learns the code of a refusal that comes before there is a control channel. */
export const CODE_HEADER = "fanfold-code";

/** What the API serves, by path. */
export const API_PATHS = {
  tokens: "/api/v1/tokens",
  members: "/api/v1/members",
  sessions: "/api/v1/sessions",
  history: "/api/v1/history",
  sinks: "/api/v1/sinks",
  wanted: "/api/v1/wanted",
  verifications: "/api/v1/verifications",
  runs: "/api/v1/runs",
  events: "/api/v1/events",
  openapi: "/api/v1/openapi.json",
  login: "/api/v1/login",
} as const;
