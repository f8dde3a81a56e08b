import type { Command, Option } from "commander";
import { escapeText } from "../../lib/escape-name.ts";
import { withoutTokens } from "../../lib/hide-tokens.ts";
import { type ConfigDocument, type ConfigTable, isTable } from "./config-document.ts";
import { configFolder, configValue, kindOf, ValueFault } from "./config-value.ts";
import { nearestWord } from "./nearest-word.ts";
import {
  folderArgument,
  isProgram,
  isTypedOnly,
  keyOf,
  settableCommands,
  settableOptions,
  wordsOf,
} from "./option-keys.ts";
import { parsed, reasonOfRefusal } from "./setting.ts";

/** Something that is wrong with a configuration. */
interface Finding {
  readonly line: number;
  readonly text: string;
}

export const PROFILES = "profile";
/** A table for all commands: some options have the name of a command, whose table then has this name at the top. */
export const ALL = "all";

/** All that is wrong, in the order of the lines: keys that no command has, and values that their commands refuse. */
export function checkDocument(document: ConfigDocument, program: Command): readonly Finding[] {
  const check = new ConfigCheck(document, program);
  check.table(document.table, [], program);
  return check.findings.sort((one, other) => one.line - other.line);
}

class ConfigCheck {
  readonly findings: Finding[] = [];
  readonly #document: ConfigDocument;
  readonly #program: Command;

  constructor(document: ConfigDocument, program: Command) {
    this.#document = document;
    this.#program = program;
  }

  /** A table that is for all commands below one. */
  table(table: ConfigTable, keys: readonly string[], command: Command): void {
    for (const [key, value] of Object.entries(table)) {
      const path = [...keys, key];
      const below = command.commands.find((each) => each.name() === key && settableCommands(each).length > 0);
      if (keys.length === 0 && key === PROFILES) this.#profiles(value);
      else if (below !== undefined && isTable(value)) this.table(value, path, below);
      else if (command === this.#program && key === ALL && isTable(value)) this.#all(value, path);
      else this.#value(path, value, command);
    }
  }

  #all(table: ConfigTable, path: readonly string[]): void {
    for (const [key, value] of Object.entries(table)) this.#value([...path, key], value, this.#program);
  }

  #profiles(profiles: unknown): void {
    if (!isTable(profiles)) {
      this.#add([PROFILES], `found ${kindOf(profiles)}, want a table for each profile: [profile.NAME]`);
      return;
    }
    for (const [name, profile] of Object.entries(profiles)) {
      if (isTable(profile)) this.table(profile, [PROFILES, name], this.#program);
      else this.#add([PROFILES, name], `found ${kindOf(profile)}, want a table: [profile.${escapeText(name)}]`);
    }
  }

  #value(path: readonly string[], value: unknown, command: Command): void {
    const key = path.at(-1) ?? "";
    const commands = settableCommands(command);
    const folders = commands.filter((each) => folderArgument(each)?.key === key);
    const options = commands.flatMap((each) =>
      settableOptions(each)
        .filter((option) => keyOf(option) === key)
        .map((option) => ({ option, command: each })),
    );
    if (folders.length === 0 && options.length === 0) {
      this.#add(path, this.#unknown(key, value, command));
      return;
    }
    if (folders.length > 0) this.#refused(path, () => void configFolder(value, this.#document.path));
    const reasons = new Set(options.map((each) => this.#reason(each, value)));
    for (const reason of reasons) if (reason !== undefined) this.#add(path, `"${escapeText(key)}": ${reason}`);
  }

  /** Why a command does not take a value. */
  #reason({ option }: { readonly option: Option }, value: unknown): string | undefined {
    const { path, writtenBy } = this.#document;
    if (isProgram(option) && writtenBy !== undefined) return `it is a program to run, but of this file ${writtenBy}`;
    try {
      const texts = configValue(option, value, path);
      if (typeof texts === "boolean") return undefined;
      try {
        parsed(option, texts, undefined);
        return undefined;
      } catch (thrown) {
        return reasonOfRefusal(option, thrown, texts);
      }
    } catch (thrown) {
      if (thrown instanceof ValueFault) return thrown.message;
      throw thrown;
    }
  }

  #refused(path: readonly string[], read: () => void): void {
    try {
      read();
    } catch (thrown) {
      if (!(thrown instanceof ValueFault)) throw thrown;
      this.#add(path, `"${escapeText(path.at(-1) ?? "")}": ${thrown.message}`);
    }
  }

  #unknown(key: string, value: unknown, command: Command): string {
    const words = wordsOf(command);
    const where = words.length === 0 ? "" : ` of "fanfold ${words.join(" ")}"`;
    const found = `found the unknown ${isTable(value) ? "table" : "key"} "${escapeText(key.slice(0, 100))}"${where}`;
    return `${found}; ${this.#advice(key, value, command)}`;
  }

  /** What was meant. */
  #advice(key: string, value: unknown, command: Command): string {
    if (/token|password|secret/i.test(key) && !/file$/i.test(key))
      return "secrets do not stand here: put it into a file that only you can read, and name that with token-file";
    if (hasTypedOnly(command, key)) return "it can only be typed";
    const off = settableCommands(command).some((each) => optionsOf(each).includes(`no-${key}`));
    if (off) return `"no-${key} = true" is what switches it off`;
    const meant = nearestWord(key, knownKeys(command, isTable(value)));
    if (meant !== undefined) return `did you mean "${meant}"?`;
    const others = settableCommands(this.#program).filter((each) => optionsOf(each).includes(key));
    const [other] = others;
    if (other !== undefined) return `it is an option of "fanfold ${wordsOf(other).join(" ")}"`;
    const example = wordsOf(command).join(" ") || "source";
    return `"fanfold ${example} --help" shows the options, which are the keys`;
  }

  #add(path: readonly string[], text: string): void {
    this.findings.push({ line: this.#document.lineOf(path), text: withoutTokens(text) });
  }
}

function optionsOf(command: Command): readonly string[] {
  return settableOptions(command).map(keyOf);
}

function hasTypedOnly(command: Command, key: string): boolean {
  const all = [...settableCommands(command).flatMap(({ options }) => options), ...(rootOf(command).options ?? [])];
  return all.some((option) => keyOf(option) === key && isTypedOnly(option));
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function knownKeys(command: Command, isForTable: boolean): ReadonlySet<string> {
  const tables = [PROFILES, ALL, ...command.commands.map((each) => each.name())];
  const commands = settableCommands(command);
  const folders = commands.flatMap((each) => folderArgument(each)?.key ?? []);
  const keys = [...commands.flatMap(optionsOf), ...folders];
  return new Set(isForTable ? [...tables, ...keys] : [...keys, ...tables]);
}
