import type { Command } from "commander";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { ALL, checkDocument, PROFILES } from "./config-check.ts";
import { type ConfigDocument, type ConfigTable, isTable, readDocument } from "./config-document.ts";
import type { ConfigPlace } from "./config-places.ts";
import { configFolder, configValue } from "./config-value.ts";
import { nearestWord } from "./nearest-word.ts";
import { folderArgument, keyOf, settableOptions, wordsOf } from "./option-keys.ts";
import { type FolderSetting, fileRefusal, type Origin, type Setting, type SettingLayer } from "./setting.ts";

interface Opened {
  readonly places: readonly ConfigPlace[];
  readonly profile: string | undefined;
  readonly program: Command;
}

/** Reads and checks configuration files. @throws FanfoldError `config-invalid` */
export async function openConfigFiles({ places, profile, program }: Opened): Promise<ConfigFiles> {
  const documents = places.map(readDocument);
  for (const document of documents) {
    const [first, ...others] = checkDocument(document, program);
    if (first === undefined) continue;
    const more = others.length === 0 ? "" : ` (and ${others.length} more: fanfold config check FILE names all)`;
    throw fileRefusal({ file: document.shown, line: first.line }, `${first.text}${more}`);
  }
  if (profile !== undefined) findProfile(documents, profile);
  return new ConfigFiles(documents, profile);
}

/** The names of the profiles that files have. */
export function profilesIn(documents: readonly ConfigDocument[]): readonly string[] {
  const names = documents.flatMap(({ table }) => {
    const profiles = table[PROFILES];
    return isTable(profiles) ? Object.keys(profiles) : [];
  });
  return [...new Set(names)].sort();
}

function findProfile(documents: readonly ConfigDocument[], profile: string): void {
  const names = profilesIn(documents);
  if (names.includes(profile)) return;
  const meant = nearestWord(profile, names);
  const where = documents.map(({ shown }) => `"${shown}"`).join(" and ");
  const shown = `"${escapeText(profile.slice(0, 100))}"`;
  const found = where === "" ? "there is no configuration file" : `${where} has no [profile.NAME] of this name`;
  const advice = meant === undefined ? "" : `; did you mean "${escapeText(meant)}"?`;
  throw new FanfoldError("config-invalid", `cannot find the profile ${shown}: ${found}${advice}`);
}

/** What files say, for each command: of a profile first, and of the innermost table first. */
class ConfigFiles {
  readonly #documents: readonly ConfigDocument[];
  readonly #profile: string | undefined;

  constructor(documents: readonly ConfigDocument[], profile: string | undefined) {
    this.#documents = documents;
    this.#profile = profile;
  }

  layersFor(command: Command): readonly SettingLayer[] {
    const starts = [...(this.#profile === undefined ? [] : [[PROFILES, this.#profile]]), []];
    return starts.flatMap((start) =>
      this.#documents.flatMap((document) =>
        tablesOnTheWay(document.table, start, wordsOf(command)).map(({ table, keys }) =>
          layerOf({ document, table, keys }, command),
        ),
      ),
    );
  }
}

interface FoundTable {
  readonly table: ConfigTable;
  readonly keys: readonly string[];
}

/** The tables of a command and of those above it, the innermost first; then those for all commands. */
function tablesOnTheWay(root: ConfigTable, start: readonly string[], words: readonly string[]): readonly FoundTable[] {
  const ways = [...words.map((_, at) => [...start, ...words.slice(0, words.length - at)]), [...start, ALL], start];
  return ways.flatMap((keys) => {
    const table = keys.reduce((inner: unknown, key) => (isTable(inner) ? inner[key] : undefined), root);
    return isTable(table) ? [{ table, keys }] : [];
  });
}

function layerOf({ document, table, keys }: FoundTable & { readonly document: ConfigDocument }, command: Command) {
  const originOf = (key: string): Origin => ({
    from: "file",
    file: document.shown,
    line: document.lineOf([...keys, key]),
  });
  const settings = Object.entries(table).flatMap(([key, value]): readonly Setting[] => {
    const option = settableOptions(command).find((each) => keyOf(each) === key);
    // Of the same name as a command.
    if (option === undefined || isTable(value)) return [];
    return [{ option, value: configValue(option, value, document.path), origin: originOf(key) }];
  });
  const key = folderArgument(command)?.key;
  const folder: FolderSetting | undefined =
    key === undefined || table[key] === undefined
      ? undefined
      : { text: configFolder(table[key], document.path), origin: originOf(key) };
  return { settings, ...(folder === undefined ? {} : { folder }) };
}
