import type { Command, Option } from "commander";
import { helpAtEnd } from "../../src/cli/commands/program.ts";

/** Examples and remarks, which the help has behind the options. */
export function helpBehindOptions(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  const [, behind = ""] = help.split(/\n(?=Examples:\n)/);
  return behind.replace(helpAtEnd(command), "").trim();
}

/** What an option is when nobody gives it; nothing where its description says it, or there is none. */
export function defaultText(option: Pick<Option, "defaultValue" | "defaultValueDescription" | "negate">): string {
  if (option.negate || option.defaultValue === undefined) return "";
  return option.defaultValueDescription ?? String(option.defaultValue);
}
