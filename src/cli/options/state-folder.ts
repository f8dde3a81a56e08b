import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../process/program-io.ts";

/** Where a role keeps its state unless told otherwise: the XDG base directory rules, relative values ignored as they ask. */
export function defaultStateFolder(role: "coordinator" | "source", env: Environment): string {
  const named = env.XDG_STATE_HOME;
  const base = named !== undefined && isAbsolute(named) ? named : join(homedir(), ".local", "state");
  return join(base, "fanfold", role);
}
