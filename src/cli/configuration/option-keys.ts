import type { Argument, Command, Option } from "commander";

/** The key of an option in a configuration file: its long name. */
export function keyOf(option: Option): string {
  return option.name();
}

/** The environment variable of an option. */
export function variableOf(option: Option): `FANFOLD_${string}` {
  return `FANFOLD_${keyOf(option).toUpperCase().replaceAll("-", "_")}`;
}

/** An option without a value. */
export function isSwitch(option: Option): boolean {
  return !option.required && !option.optional;
}

/** An option that may be given several times says so. */
export function isRepeatable(option: Option): boolean {
  return option.variadic || option.description.includes("(repeatable)");
}

/** What kind of text the value of an option is, by the word in its flags. */
export function placeholderOf(option: Option): string {
  return /[<[]([^>\].]+)/.exec(option.flags)?.[1] ?? "";
}

export function isPath(option: Option): boolean {
  return isPathWord(placeholderOf(option));
}

/** Its value is an age key, or names a file of them. */
export function isKeyOrFile(option: Option): boolean {
  return placeholderOf(option) === KEY_OR_FILE;
}

export const KEY_OR_FILE = "key-or-file";

export function isPathWord(word: string): boolean {
  return word === "file" || word === "folder" || word === "dir";
}

/** Its value is a program that is run. */
export function isProgram(option: Option): boolean {
  return isProgramWord(placeholderOf(option));
}

export function isProgramWord(word: string): boolean {
  return word === "program" || word === "command";
}

/** Keys that name the folder of a command, where it is not typed: what a source reads, and what a sink fills. */
type FolderKey = "directory" | "folder";

const TYPED_ONLY = new WeakSet<Option>();
const FOLDERS = new WeakMap<Argument, FolderKey>();
const WITHOUT_SETTINGS = new WeakSet<Command>();

/** Marks an option that is of one run, and never of a file or the environment. */
export function typedOnly(option: Option): Option {
  TYPED_ONLY.add(option);
  return option;
}

/** Marks an argument that a configuration file may give, under this key. */
export function fromFile(argument: Argument, key: FolderKey): Argument {
  FOLDERS.set(argument, key);
  return argument;
}

/** Marks a command, with those below it, that neither a file nor the environment changes. */
export function withoutSettings(command: Command): Command {
  WITHOUT_SETTINGS.add(command);
  return command;
}

/** Options that a file and the environment may set. */
export function settableOptions(command: Command): readonly Option[] {
  return command.options.filter((option) => option.long !== undefined && !TYPED_ONLY.has(option));
}

export function isTypedOnly(option: Option): boolean {
  return TYPED_ONLY.has(option);
}

/** The one argument of a command, where a file may give it. */
export function folderArgument(command: Command): { readonly argument: Argument; readonly key: FolderKey } | undefined {
  const [argument, ...others] = command.registeredArguments;
  const key = argument === undefined || others.length > 0 ? undefined : FOLDERS.get(argument);
  return argument === undefined || key === undefined ? undefined : { argument, key };
}

/** Whether a command runs something, and takes settings. */
export function takesSettings(command: Command): boolean {
  if (command.commands.length > 0 || command.parent === null) return false;
  return !pathOf(command).some(({ command: each }) => WITHOUT_SETTINGS.has(each));
}

/** The words that call a command, from the outermost on, without the name of the program. */
function pathOf(command: Command): readonly { readonly name: string; readonly command: Command }[] {
  return command.parent === null ? [] : [...pathOf(command.parent), { name: command.name(), command }];
}

export function wordsOf(command: Command): readonly string[] {
  return pathOf(command).map(({ name }) => name);
}

/** All commands below one, or itself, that take settings. */
export function settableCommands(command: Command): readonly Command[] {
  if (command.commands.length > 0) return command.commands.flatMap(settableCommands);
  return takesSettings(command) ? [command] : [];
}
