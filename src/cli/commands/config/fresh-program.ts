import type { Command } from "commander";
import type { Settings } from "../../configuration/settings.ts";
import type { ProgramIo } from "../../process/program-io.ts";

/** Makes all commands once more, with settings of their own: to look at them and not to run them. */
export type FreshProgram = (settings: Settings) => Command;

/** What a command gets that looks at commands. */
export interface LookContext {
  readonly io: ProgramIo;
  readonly fresh: FreshProgram;
}
