import type { CompletedCommand, Values } from "./completion-model.ts";
import { type ShellCommands, wordOf } from "./shell-words.ts";

/** A script for fish 3 and newer. */
export function fishScript({ commands, everywhere }: ShellCommands): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== "");
  const skipping = everywhere.flatMap(({ flags }) => flags).join(" ");
  return `# Completion for fish: fanfold completion fish | source

# The command that was typed, such as token create.
function __fanfold_command
    set -l typed
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${skipping}
                set skip 1
            case '-*'
            case '*'
                if contains -- (string join ' ' -- $typed $word) ${paths.map(wordOf).join(" ")}
                    set typed $typed $word
                else
                    break
                end
        end
    end
    string join ' ' -- $typed
end

function __fanfold_at
    set -l typed (__fanfold_command)
    test "$typed" = "$argv[1]"
end

function __fanfold_ask
    fanfold complete $argv[1] -- (commandline -opc)[2..-1] 2>/dev/null </dev/null
end

complete -c fanfold -e
complete -c fanfold -f
${everywhere.map((option) => optionLine("", option)).join("\n")}
${commands.flatMap(commandLines).join("\n")}
`;
}

function commandLines({ path, below, options, arguments: places }: CompletedCommand): readonly string[] {
  const at = `-n ${quoted(`__fanfold_at ${wordOf(path)}`)}`;
  const own = path === "" ? options.filter(({ values }) => values === undefined) : options;
  const kinds = new Set(places.map(valuesPart));
  return [
    ...below.map(({ name, about }) => `complete -c fanfold ${at} -a ${name} -d ${wordOf(about)}`),
    ...own.map((option) => optionLine(at, option)),
    ...[...kinds].filter((part) => part !== "").map((part) => `complete -c fanfold ${at} ${part}`),
  ];
}

function optionLine(at: string, { flags, about, values }: CompletedCommand["options"][number]): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const part = values === undefined ? "" : ` -r ${valuesPart(values) || "-f"}`;
  return `complete -c fanfold ${at} ${names.join(" ")}${part} -d ${wordOf(about)}`.replaceAll("  ", " ");
}

function valuesPart(values: Values): string {
  switch (values.kind) {
    case "words":
      return `-f -a ${wordOf(values.words.join(" "))}`;
    case "ask":
      return `-f -a '(__fanfold_ask ${values.asked})'`;
    case "file":
      return "-F";
    case "folder":
      return "-f -a '(__fish_complete_directories)'";
    case "text":
      return "";
  }
}

function quoted(text: string): string {
  return `"${text}"`;
}
