import type { Argument, Command, Option } from "commander";
import {
  isPathWord,
  isProgramWord,
  isRepeatable,
  isSwitch,
  KEY_OR_FILE,
  placeholderOf,
} from "../configuration/option-keys.ts";
import { ASKED, type AskedKind } from "./asked.ts";

/** What may stand at a place of a command line. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "file" | "folder" | "text" }
  | { readonly kind: "ask"; readonly asked: AskedKind };

interface CompletedOption {
  readonly flags: readonly string[];
  readonly about: string;
  /** None of a switch. */
  readonly values?: Values;
}

export interface CompletedCommand {
  /** Without the name of the program: `token create`; the program itself has none. */
  readonly path: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly Values[];
  /** The last argument may be repeated. */
  readonly isEndless: boolean;
  readonly below: readonly { readonly name: string; readonly about: string }[];
}

/** All that shells complete, as the definitions of the commands have it; the program itself first. */
export function completionModel(program: Command): readonly CompletedCommand[] {
  const commands = modelOf(program, "");
  const help: CompletedCommand = {
    path: "help",
    options: [],
    arguments: [{ kind: "words", words: visible(program).map((command) => command.name()) }],
    isEndless: false,
    below: [],
  };
  return [...commands, help];
}

/** Options of the program itself, which may stand behind every command. */
export function everywhere(program: Command): readonly CompletedOption[] {
  return program.options.filter((option) => !isSwitch(option)).map((option) => optionOf(option, program));
}

function modelOf(command: Command, path: string): readonly CompletedCommand[] {
  const below = visible(command);
  const own: CompletedCommand = {
    path,
    options: [
      ...command.options.filter(({ hidden }) => !hidden).map((option) => optionOf(option, command)),
      { flags: ["-h", "--help"], about: "show this help" },
    ],
    arguments: command.registeredArguments.map((argument) => argumentOf(argument, command)),
    isEndless: command.registeredArguments.at(-1)?.variadic === true,
    below: below.map((each) => ({ name: each.name(), about: shortened(each.summary() || each.description()) })),
  };
  return [own, ...below.flatMap((each) => modelOf(each, `${path} ${each.name()}`.trim()))];
}

/** Those that the help shows. */
export function visible(command: Command): readonly Command[] {
  const shown = command.createHelp().visibleCommands(command);
  return command.commands.filter((each) => shown.includes(each));
}

function optionOf(option: Option, command: Command): CompletedOption {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const about = shortened(option.description) + (isRepeatable(option) ? " (repeatable)" : "");
  if (isSwitch(option)) return { flags, about };
  return { flags, about, values: valuesOf(option, { name: option.name(), word: placeholderOf(option), command }) };
}

function argumentOf(argument: Argument, command: Command): Values {
  return valuesOf(argument, { name: argument.name(), word: argument.name(), command });
}

interface ValuePlace {
  readonly name: string;
  /** What stands for the value in the help. */
  readonly word: string;
  readonly command: Command;
}

function valuesOf({ argChoices }: Pick<Option, "argChoices">, { name, word, command }: ValuePlace): Values {
  if (argChoices !== undefined) return { kind: "words", words: argChoices };
  if (name === "command") return { kind: "words", words: visible(rootOf(command)).map((each) => each.name()) };
  if (isProgramWord(word)) return { kind: "file" };
  if (word === KEY_OR_FILE) return { kind: "file" };
  if (isPathWord(word)) return { kind: word === "file" ? "file" : "folder" };
  const places = [`${command.parent?.name()} ${name}`, `${command.name()} ${name}`, name];
  const asked = word === "key" ? undefined : places.map((place) => ASKED.get(place)).find((each) => each !== undefined);
  return asked === undefined ? { kind: "text" } : { kind: "ask", asked };
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

const ABOUT_CHARS_MAX = 70;

/** The first thought of a description. */
function shortened(text: string): string {
  const [first = ""] = text.replace(/ \((default|repeatable).*\)/, "").split(/[;:] |\. |, (?=such as)/);
  const clean = first.replace(/\.$/, "");
  return clean.length <= ABOUT_CHARS_MAX ? clean : `${clean.slice(0, ABOUT_CHARS_MAX - 1)}…`;
}
