import { homedir } from "node:os";
import type { Option } from "commander";
import { withoutTokens } from "../../lib/hide-tokens.ts";
import { argumentText } from "../process/arguments.ts";
import { isKeyOrFile, isPath, isProgram, isRepeatable, isSwitch, keyOf } from "./option-keys.ts";

/** Why a value cannot be that of an option. */
export class ValueFault extends Error {}

/**
 * What a value of a file says of an option, in the form of the command line. Relative paths are those of the file's own
 * directory, and `~/` is the home directory.
 *
 * @throws ValueFault
 */
export function configValue(option: Option, value: unknown, file: Buffer): boolean | readonly string[] {
  const key = keyOf(option);
  if (isSwitch(option)) {
    if (typeof value === "boolean") return value;
    throw new ValueFault(`found ${kindOf(value)}, want true or false: ${key} = true`);
  }
  if (option.optional && typeof value === "boolean") return value;
  if (Array.isArray(value) && !isRepeatable(option))
    throw new ValueFault("found an array, want one value: this option can be given once");
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((each) => {
    const text = textOf(each);
    // The system finds a program by its name alone.
    const isNamed = isKeyOrFile(option) ? !text.startsWith("age1") : isProgram(option) && text.includes("/");
    const isOfFile = isPath(option) || isNamed;
    return isOfFile ? configPath(text, file) : text;
  });
}

/** The folder of a command. @throws ValueFault */
export function configFolder(value: unknown, file: Buffer): string {
  if (typeof value === "string" && value !== "") return configPath(textOf(value), file);
  throw new ValueFault(`found ${kindOf(value)}, want a path`);
}

function textOf(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") throw new ValueFault(`found ${kindOf(value)}, want a text or a number`);
  if (value !== withoutTokens(value)) {
    const [found, key] = value.includes("ff1_") ? ["token", "token-file"] : ["secret key", "age-key"];
    throw new ValueFault(`found a ${found}: keep it in a file that only you can read, and name that with ${key}`);
  }
  if (value.isWellFormed() && !value.includes("\0")) return value;
  throw new ValueFault("found a text that no command line can have");
}

function configPath(path: string, file: Buffer): string {
  if (path === "" || path.startsWith("/")) return path;
  if (path === "~" || path.startsWith("~/")) return homedir() + path.slice(1);
  const slash = file.lastIndexOf("/");
  return slash < 0 ? path : argumentText(file.subarray(0, slash + 1)) + path;
}

export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date";
  if (value === "") return "nothing";
  return KINDS[typeof value] ?? "a table";
}

const KINDS: Readonly<Record<string, string>> = {
  boolean: "true or false",
  string: "a text",
  number: "a number",
  bigint: "a number",
};
