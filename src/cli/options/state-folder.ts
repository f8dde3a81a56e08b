import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../process/program-io.ts";

/** Where a source keeps its state unless told otherwise: the XDG base directory rules, relative values ignored as they ask. */
export function defaultSourceState(env: Environment): string {
  return join(stateBase(env), "source");
}

/** One for each port: two coordinators of one user have nothing in common, and members come back to the port they know. */
export function defaultCoordinatorState(env: Environment, port: number): string {
  return join(stateBase(env), "coordinator", String(port));
}

function stateBase(env: Environment): string {
  const named = env.XDG_STATE_HOME;
  const base = named !== undefined && isAbsolute(named) ? named : join(homedir(), ".local", "state");
  return join(base, "fanfold");
}
