import type Tls from "node:tls";

/** node:tls, loaded by the first connection that needs it: a session on one machine has none, and starts sooner. */
export function loadTls(): typeof Tls {
  return process.getBuiltinModule("node:tls");
}
