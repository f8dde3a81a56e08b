import { kindOf } from "./bash-script.ts";
import type { CompletedCommand } from "./completion-model.ts";
import { byPlace, type ShellCommands, wordOf } from "./shell-words.ts";

/** A script for zsh: to be sourced, or to be a file `_fanfold` in a folder of `fpath`. */
export function zshScript(shell: ShellCommands): string {
  return `#compdef fanfold
# Completion for zsh: source <(fanfold completion zsh), behind compinit

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
  below=() flags=() kinds=() endless=
  case "$1" in
${shell.commands.map((command) => `    ${wordOf(command.path)})${commandLines(command)} ;;`).join("\n")}
    *) return 1 ;;
  esac
}

_fanfold() {
  local command= value= rest= word endless REPLY
  local -i at=1
  local -a typed below flags kinds
  typed=("\${(@Q)words[2,CURRENT-1]}")
  for word in "\${typed[@]}"; do
    if [[ -n $value ]]; then value=; continue; fi
    case $rest$word in
      --) rest=- ;;
      --*=*) ;;
      -*) if [[ -z $rest ]]; then _fanfold_value "$command" "$word"; value=$REPLY; else (( at++ )); fi ;;
      *) if _fanfold_command "\${command:+$command }$word"; then command="\${command:+$command }$word"; at=1; else (( at++ )); fi ;;
    esac
  done
  _fanfold_command "$command"
  if [[ -z $value && -z $rest && $PREFIX == --*=* ]]; then
    _fanfold_value "$command" "\${PREFIX%%=*}"; value=$REPLY
    compset -P '*='
  elif [[ -z $value && -z $rest && $PREFIX == -* ]]; then
    _describe -o option flags
    return
  fi
  if [[ -z $value && \${#below} -gt 0 ]]; then _describe command below; return; fi
  if [[ -n $endless && $at -gt \${#kinds} ]]; then at=\${#kinds}; fi
  if [[ -z $value ]]; then value=$kinds[at]; fi
  case $value in
    file) _files ;;
    folder) _files -/ ;;
    words:*) typed=(\${=value#words:}); compadd -a typed ;;
    ask:*) typed=("\${(@f)$(fanfold complete "\${value#ask:}" -- "\${typed[@]}" 2>/dev/null </dev/null)}"); typed=(\${typed:#}); compadd -a typed ;;
  esac
}

if [[ \${funcstack[1]} == _fanfold ]]; then _fanfold "$@"; else compdef _fanfold fanfold; fi
`;
}

function commandLines({ below, options, arguments: places, isEndless }: CompletedCommand): string {
  const flags = options.flatMap((option) => option.flags.map((flag) => described(flag, option.about)));
  return [
    below.length === 0 ? "" : ` below=(${below.map(({ name, about }) => described(name, about)).join(" ")})`,
    flags.length === 0 ? "" : ` flags=(${flags.join(" ")})`,
    places.length === 0 ? "" : ` kinds=(${places.map((values) => wordOf(kindOf(values))).join(" ")})`,
    isEndless ? " endless=1" : "",
  ].join("");
}

function described(word: string, about: string): string {
  return wordOf(`${word}:${about.replaceAll(":", "")}`);
}
