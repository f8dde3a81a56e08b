import type { CompletedCommand, Values } from "./completion-model.ts";
import { byPlace, type ShellCommands, wordOf } from "./shell-words.ts";

/** A script for bash 3.2 and newer. What the coordinator answers is never evaluated. */
export function bashScript(shell: ShellCommands): string {
  const { commands } = shell;
  return `# Completion for bash: source <(fanfold completion bash)

# The kind of value that an option of a command takes; nothing for a switch.
_fanfold_value() {
  case "$1 $2" in
${byPlace(shell)
  .map(({ places, values }) => `    ${places.join("|")}) REPLY=${wordOf(kindOf(values))} ;;`)
  .join("\n")}
    *) REPLY= ;;
  esac
}

# What stands behind a command.
_fanfold_command() {
  below= flags= endless=
  kinds=()
  case "$1" in
${commands.map((command) => `    ${wordOf(command.path)})${commandLines(command)} ;;`).join("\n")}
    *) return 1 ;;
  esac
}

# Lines of standard input that begin with what was typed, quoted for the line.
_fanfold_lines() {
  local line
  while IFS= read -r line; do
    case $line in "$cur"*) if [ "$1" = quoted ]; then printf -v line %q "$line"; fi; COMPREPLY+=("$line") ;; esac
  done
}

_fanfold() {
  local cur= command= value= rest= names= word prefix REPLY below flags endless at=0
  local -a words kinds
  COMPREPLY=()
  read -a words <<< "\${COMP_LINE:0:COMP_POINT}"
  case "\${COMP_LINE:0:COMP_POINT}" in
    *[[:space:]]) ;;
    *) cur=\${words[\${#words[@]} - 1]}; unset "words[\${#words[@]} - 1]" ;;
  esac
  for word in "\${words[@]:1}"; do
    if [ -n "$value" ]; then value=; continue; fi
    case $rest$word in
      --) rest=- ;;
      --*=*) ;;
      -*) if [ -z "$rest" ]; then _fanfold_value "$command" "$word"; value=$REPLY; else at=$((at + 1)); fi ;;
      *) if _fanfold_command "\${command:+$command }$word"; then command="\${command:+$command }$word"; at=0; else at=$((at + 1)); fi ;;
    esac
  done
  _fanfold_command "$command"
  if [ -z "$value" ]; then
    case $cur in
      --*=*) _fanfold_value "$command" "\${cur%%=*}"; value=$REPLY; cur=\${cur#*=} ;;
      -*) if [ -z "$rest" ]; then value="words:$flags"; fi ;;
    esac
    if [ -z "$value" ] && [ -n "$below" ]; then value="words:$below"; fi
    if [ -n "$endless" ] && [ "$at" -ge "\${#kinds[@]}" ]; then at=$((\${#kinds[@]} - 1)); fi
    if [ -z "$value" ]; then value=\${kinds[at]}; fi
  fi
  # Names of files: the shell quotes them itself, or is older than 4.0 and has no compopt.
  case $value in
    file|folder) compopt -o filenames 2>/dev/null || names=quoted ;;
  esac
  case $value in
    file) _fanfold_lines "$names" < <(compgen -f -- "$cur") ;;
    folder) _fanfold_lines "$names" < <(compgen -d -- "$cur") ;;
    words:*) _fanfold_lines < <(printf '%s\\n' \${value#words:}) ;;
    ask:*) _fanfold_lines quoted < <(fanfold complete "\${value#ask:}" -- "\${words[@]:1}" 2>/dev/null </dev/null) ;;
  esac
  # The shell replaces only what stands behind the last colon.
  case $COMP_WORDBREAKS in *:*) prefix=\${cur%"\${cur##*:}"}; COMPREPLY=("\${COMPREPLY[@]#"$prefix"}") ;; esac
}

complete -F _fanfold fanfold
`;
}

function commandLines({ below, options, arguments: places, isEndless }: CompletedCommand): string {
  const flags = options.flatMap((option) => option.flags).join(" ");
  return [
    below.length === 0 ? "" : ` below=${wordOf(below.map(({ name }) => name).join(" "))}`,
    flags === "" ? "" : ` flags=${wordOf(flags)}`,
    places.length === 0 ? "" : ` kinds=(${places.map((values) => wordOf(kindOf(values))).join(" ")})`,
    isEndless ? " endless=1" : "",
  ].join("");
}

/** As the scripts for bash and zsh know it. */
export function kindOf(values: Values): string {
  if (values.kind === "words") return `words:${values.words.join(" ")}`;
  return values.kind === "ask" ? `ask:${values.asked}` : values.kind;
}
