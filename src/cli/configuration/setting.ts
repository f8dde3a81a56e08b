import { InvalidArgumentError, type Option } from "commander";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { keyOf } from "./option-keys.ts";

/** Where the value of an option was found. */
export type Origin =
  | { readonly from: "flag" }
  | { readonly from: "environment"; readonly variable: string }
  | { readonly from: "file"; readonly file: string; readonly line: number }
  | { readonly from: "default" };

/** The value of an option as somebody wrote it: of a switch whether it is on, else one text or several. */
export interface Setting {
  readonly option: Option;
  readonly value: boolean | readonly string[];
  readonly origin: Origin;
}

/** The folder of a command as a file gives it. */
export interface FolderSetting {
  readonly text: string;
  readonly origin: Origin;
}

/** Settings of one place: none of them counts more than another. */
export interface SettingLayer {
  readonly settings: readonly Setting[];
  readonly folder?: FolderSetting;
}

/** What the command gets, by the parser of its flag. @throws FanfoldError `usage`, `config-invalid` */
export function readSetting(setting: Setting, previous: unknown): unknown {
  const { option, value } = setting;
  if (typeof value === "boolean") return option.negate ? !value : value;
  try {
    return parsed(option, value, previous);
  } catch (thrown) {
    throw refusal(setting, reasonOfRefusal(option, thrown, value));
  }
}

/** What the parser of the flag makes of the texts. Throws what it throws. */
export function parsed(option: Option, texts: readonly string[], previous: unknown): unknown {
  let result = previous;
  for (const text of texts) result = option.parseArg === undefined ? text : option.parseArg(text, result);
  return result;
}

export function reasonOfRefusal(option: Option, thrown: unknown, texts: readonly string[]): string {
  if (!(thrown instanceof InvalidArgumentError)) return FanfoldError.from(thrown).message;
  const found = `cannot read --${keyOf(option)} "${escapeText(texts.join(" "))}"`;
  const { argChoices } = option;
  return argChoices === undefined ? `${found}: ${thrown.message}` : `${found}: want one of ${argChoices.join(", ")}`;
}

/** The error of a setting that cannot be used. */
export function refusal({ option, origin }: Setting, reason: string): FanfoldError {
  if (origin.from === "file") return fileRefusal(origin, `"${keyOf(option)}": ${reason}`);
  const where = origin.from === "environment" ? `the environment variable ${origin.variable}` : `--${keyOf(option)}`;
  return new FanfoldError("usage", `cannot use ${where}: ${reason}`);
}

export function fileRefusal({ file, line }: { readonly file: string; readonly line: number }, what: string) {
  return new FanfoldError("config-invalid", `cannot use the configuration "${file}", line ${line}: ${what}`);
}

/** Whether two options of a command cannot be used together. */
export function areRivals(one: Option, other: Option): boolean {
  return isAgainst(one, other) || isAgainst(other, one);
}

function isAgainst(one: Option, other: Option): boolean {
  // Commander keeps it to itself, and its types with it.
  const { conflictsWith } = one as Option & { readonly conflictsWith?: readonly string[] };
  return conflictsWith?.includes(other.attributeName()) === true;
}
