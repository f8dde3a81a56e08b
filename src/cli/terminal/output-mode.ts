import type { ProgramIo } from "../process/program-io.ts";

/** The options that every command has. */
export interface SharedOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  /** False after `--no-color`. */
  readonly color?: boolean;
}

export interface OutputMode {
  readonly kind: "json" | "quiet" | "plain" | "terminal";
  readonly verbose: boolean;
  readonly colour: boolean;
}

/** A terminal gets a screen, anything else plain lines; NO_COLOR counts when it is not empty (https://no-color.org). */
export function resolveOutputMode(
  options: SharedOptions,
  { stdout, env }: Pick<ProgramIo, "stdout" | "env">,
): OutputMode {
  const terminal = stdout.isTTY === true && env.TERM !== "dumb";
  const kind = options.json === true ? "json" : options.quiet === true ? "quiet" : terminal ? "terminal" : "plain";
  const colour = terminal && options.color !== false && (env.NO_COLOR ?? "") === "";
  return { kind, verbose: options.verbose === true, colour };
}
