import { Argument, type Command } from "commander";
import { ASKED_KINDS, type AskedKind } from "../../completion/asked.ts";
import { SHELLS, type Shell } from "../../completion/shell-words.ts";
import { withoutSettings } from "../../configuration/option-keys.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { FreshProgram } from "./fresh-program.ts";

/** `fanfold completion`, and the hidden `fanfold complete` that its scripts call. */
export function addCompletion(program: Command, io: ProgramIo, finish: Finish, fresh: FreshProgram): void {
  withoutSettings(program.command("completion"))
    .summary("print what makes a shell complete commands and options")
    .description(
      "Prints a script for SHELL. With it the shell completes commands, options, files, profiles, and the names of sessions, sinks and members that the coordinator knows.",
    )
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", COMPLETION_HELP)
    .action(async (shell: Shell) => {
      const { completionCommand } = await import("./completion-command.ts");
      finish(completionCommand(shell, { io, fresh }));
    });
  withoutSettings(program.command("complete", { hidden: true }))
    .description("Prints what a shell asks for.")
    .addArgument(new Argument("<what>", "kind of names").choices(ASKED_KINDS))
    .argument("[words...]", "what was typed so far, without what is completed")
    .helpOption("-h, --help", "show this help")
    .action(async (asked: AskedKind, words: readonly string[]) => {
      const { completeCommand } = await import("./complete-command.ts");
      finish(await completeCommand(asked, words, { io, fresh }));
    });
}

const COMPLETION_HELP = `
Examples:
  source <(fanfold completion bash)           in ~/.bashrc
  source <(fanfold completion zsh)            in ~/.zshrc, behind compinit
  fanfold completion fish > ~/.config/fish/completions/fanfold.fish
`;
