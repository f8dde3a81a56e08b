import type { Environment, ProgramIo } from "../process/program-io.ts";

/** How progress is shown: `auto` draws a bar on a terminal and prints lines anywhere else. */
export const PROGRESS_MODES = ["auto", "bar", "plain", "none"] as const;

export type ProgressMode = (typeof PROGRESS_MODES)[number];

/** The options that every command has. */
export interface SharedOptions {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  /** False after `--no-color`. */
  readonly color?: boolean;
  readonly progress?: ProgressMode;
}

export interface OutputMode {
  /** `none` prints what happens, and no progress. */
  readonly kind: "json" | "quiet" | "plain" | "none" | "terminal";
  readonly verbose: boolean;
  readonly colour: boolean;
}

/** A terminal gets a screen, anything else plain lines, unless the options say otherwise. */
export function resolveOutputMode(
  options: SharedOptions,
  { stdout, env }: Pick<ProgramIo, "stdout" | "env">,
): OutputMode {
  const canDraw = stdout.isTTY === true && env.TERM !== "dumb";
  return {
    kind: kindOf(options, canDraw),
    verbose: options.verbose === true,
    colour: hasColour(options, env, canDraw),
  };
}

function kindOf({ json, quiet, progress = "auto" }: SharedOptions, canDraw: boolean): OutputMode["kind"] {
  if (json === true) return "json";
  if (quiet === true) return "quiet";
  if (progress === "bar" || (progress === "auto" && canDraw)) return "terminal";
  return progress === "none" ? "none" : "plain";
}

/** FORCE_COLOR counts before NO_COLOR, as with Node.js; NO_COLOR counts when it is not empty (https://no-color.org). */
function hasColour({ color }: SharedOptions, { FORCE_COLOR, NO_COLOR }: Environment, canDraw: boolean): boolean {
  if (color === false) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return canDraw && (NO_COLOR ?? "") === "";
}
