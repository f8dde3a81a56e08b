import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
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
  // Node.js has put U+FFFD for what is no UTF-8: that names another directory.
  if (base.includes("\uFFFD"))
    throw new FanfoldError(
      "usage",
      `Find the state directory in "${escapeText(base)}": its path is no UTF-8; name one with --state-dir`,
    );
  return join(base, "fanfold");
}
