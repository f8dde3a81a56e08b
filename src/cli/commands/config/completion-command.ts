import { bashScript } from "../../completion/bash-script.ts";
import { completionModel, everywhere } from "../../completion/completion-model.ts";
import { fishScript } from "../../completion/fish-script.ts";
import type { Shell } from "../../completion/shell-words.ts";
import { zshScript } from "../../completion/zsh-script.ts";
import { Settings } from "../../configuration/settings.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import type { LookContext } from "./fresh-program.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `fanfold completion SHELL` */
export function completionCommand(shell: Shell, { io, fresh }: LookContext): number {
  const program = fresh(new Settings({}));
  io.stdout.write(SCRIPTS[shell]({ commands: completionModel(program), everywhere: everywhere(program) }));
  return EXIT_STATUS.ok;
}
