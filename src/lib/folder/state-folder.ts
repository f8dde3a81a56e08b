import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { FanfoldError } from "../errors.ts";
import { escapeText } from "../escape-name.ts";

/** The environment variable that says where a user's state is kept. */
interface StateEnvironment {
  readonly XDG_STATE_HOME?: string | undefined;
}

/** Where a source keeps its state unless told otherwise: the XDG base directory rules, relative values ignored as they ask. */
export function defaultSourceState(env: StateEnvironment): string {
  return join(stateBase(env), "source");
}

/** One for each port: two coordinators of one user have nothing in common, and members come back to the port they know. */
export function defaultCoordinatorState(env: StateEnvironment, port: number): string {
  return join(stateBase(env), "coordinator", String(port));
}

function stateBase(env: StateEnvironment): string {
  const named = env.XDG_STATE_HOME;
  const base = named !== undefined && isAbsolute(named) ? named : join(homedir(), ".local", "state");
  // Node.js has put U+FFFD for what is not UTF-8: that names another directory.
  if (base.includes("\uFFFD"))
    throw new FanfoldError(
      "usage",
      `cannot find the state directory in "${escapeText(base)}": its path is not UTF-8; name one with --state-dir`,
    );
  return join(base, "fanfold");
}
