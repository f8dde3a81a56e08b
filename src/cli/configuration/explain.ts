import type { Command, Option } from "commander";
import { withoutTokens } from "../../lib/hide-tokens.ts";
import { redactUrl } from "../../transport/broker-url.ts";
import { folderArgument, isSwitch, settableOptions, wordsOf } from "./option-keys.ts";
import type { Origin, Setting } from "./setting.ts";
import type { Decision, Settings } from "./settings.ts";

/** What an option is, and why. */
export interface ExplainedOption {
  /** As it is typed, or the name of an argument. */
  readonly option: string;
  /** Undefined when there is none. */
  readonly value: string | boolean | readonly string[] | undefined;
  readonly origin: Origin;
  /** Places that also name it, and count less. */
  readonly instead: readonly Origin[];
}

export interface ExplainedCommand {
  readonly command: string;
  readonly options: readonly ExplainedOption[];
}

/** What the options of a command would be with these arguments. The command itself does not run. @throws as its parsers do */
export async function explain(
  command: Command,
  settings: Settings,
  args: readonly string[],
): Promise<ExplainedCommand> {
  const typed = new Map<Option, string[]>();
  for (const option of command.options) {
    option.makeOptionMandatory(false);
    command.on(`option:${option.name()}`, (value: string | undefined) => {
      typed.set(option, [...(typed.get(option) ?? []), ...(typeof value === "string" ? [value] : [])]);
    });
  }
  for (const argument of command.registeredArguments) argument.argOptional();
  command.action(() => undefined);
  await command.parseAsync([...args], { from: "user" });
  const options = settableOptions(command).map((option) =>
    explained(
      option,
      typed.get(option),
      settings.decisions.filter(({ setting }) => setting.option === option),
    ),
  );
  return { command: wordsOf(command).join(" "), options: [...folder(command, settings), ...options] };
}

function explained(
  option: Option,
  typed: readonly string[] | undefined,
  decisions: readonly Decision[],
): ExplainedOption {
  const name = `--${option.name()}`;
  const used = decisions.find(({ isUsed }) => isUsed)?.setting;
  const instead = decisions.filter(({ isUsed }) => !isUsed).map(({ setting }) => setting.origin);
  if (typed !== undefined)
    return { option: name, value: isSwitch(option) || shown(typed), origin: { from: "flag" }, instead };
  if (used === undefined) return { option: name, value: defaultOf(option), origin: { from: "default" }, instead };
  return { option: name, value: shownSetting(used), origin: used.origin, instead };
}

function shownSetting({ value }: Setting): string | boolean | readonly string[] {
  return typeof value === "boolean" ? value : shown(value);
}

function shown(texts: readonly string[]): string | readonly string[] {
  const safe = texts.map((text) => withoutTokens(text.includes("://") ? redactUrl(text) : text));
  const [only] = safe;
  return only !== undefined && safe.length === 1 ? only : safe;
}

function defaultOf(option: Option): string | boolean | undefined {
  if (isSwitch(option)) return false;
  const { defaultValue, defaultValueDescription } = option;
  if (defaultValue === undefined) return / \(default: (.+)\)$/.exec(option.description)?.[1];
  return defaultValueDescription ?? String(defaultValue);
}

function folder(command: Command, settings: Settings): readonly ExplainedOption[] {
  const place = folderArgument(command);
  if (place === undefined) return [];
  const option = place.argument.name().toUpperCase();
  const [typed] = command.args;
  const given = settings.folder;
  if (typed !== undefined)
    return [{ option, value: typed, origin: { from: "flag" }, instead: given === undefined ? [] : [given.origin] }];
  return given === undefined ? [] : [{ option, value: given.text, origin: given.origin, instead: [] }];
}
