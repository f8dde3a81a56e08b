import { parse, TomlError } from "smol-toml";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import type { ConfigPlace } from "./config-places.ts";
import { readConfigFile } from "./read-config-file.ts";
import { fileRefusal } from "./setting.ts";
import { tomlLines } from "./toml-lines.ts";

/** Far more than tables, arrays and inline tables need here. */
const DEPTH_MAX = 16;

/** A configuration file that is TOML; nobody has looked yet at what it says. */
export interface ConfigDocument {
  readonly path: Buffer;
  readonly shown: string;
  readonly table: ConfigTable;
  /** Why it must not name programs. */
  readonly writtenBy?: string;
  lineOf(keys: readonly string[]): number;
}

export type ConfigTable = { readonly [key: string]: unknown };

/** @throws FanfoldError `config-invalid` */
export function readDocument(place: ConfigPlace): ConfigDocument {
  const { text, ...rest } = readConfigFile(place);
  const shown = shownPath(place.path);
  const table = parsedToml(text, shown);
  return { path: place.path, shown, table, lineOf: tomlLines(text), ...rest };
}

function parsedToml(text: string, file: string): ConfigTable {
  try {
    return parse(text, { maxDepth: DEPTH_MAX });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw FanfoldError.from(cause);
    const [first = ""] = cause.message.split("\n");
    const what = escapeText(first.replace(/^Invalid TOML document: /, ""));
    const advice = what.includes("redefine") ? "; a table with the name of a key: write the key under [all]" : "";
    throw fileRefusal({ file, line: cause.line }, `it is not TOML (column ${cause.column}): ${what}${advice}`);
  }
}

export function isTable(value: unknown): value is ConfigTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
