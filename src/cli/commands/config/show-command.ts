import type { Command } from "commander";
import { FanfoldError } from "../../../lib/errors.ts";
import { escapeText } from "../../../lib/escape-name.ts";
import { shownPath } from "../../../lib/folder/file-path.ts";
import { configPlaces, userFile } from "../../configuration/config-places.ts";
import { type ExplainedCommand, type ExplainedOption, explain } from "../../configuration/explain.ts";
import { nearestWord } from "../../configuration/nearest-word.ts";
import { settableCommands, settableOptions, variableOf, wordsOf } from "../../configuration/option-keys.ts";
import type { Origin } from "../../configuration/setting.ts";
import { type GivenConfiguration, givenConfiguration, Settings } from "../../configuration/settings.ts";
import type { Environment, ProgramIo } from "../../process/program-io.ts";
import { runOnce } from "../../process/run-once.ts";
import { tableLines } from "../../view/text/table.ts";
import type { LookContext } from "./fresh-program.ts";

/** As commander reads them. */
export interface ShowOptions extends GivenConfiguration {
  readonly json?: boolean;
}

/** `fanfold config show [COMMAND]` */
export function showCommand(words: readonly string[], options: ShowOptions, context: LookContext): Promise<number> {
  const { io } = context;
  return runOnce(io, async () => {
    const commands = await explainAll(words, options, context);
    const program = context.fresh(new Settings({}));
    warnOfVariables(program, io);
    const isAll = words.length === 0;
    const shown = isAll ? commands.map(withoutDefaults).filter((each) => each.options.length > 0) : commands;
    if (options.json === true) io.stdout.write(`${JSON.stringify(asJson(shown, options, context))}\n`);
    else
      io.stdout.write(
        asText(shown, options, context)
          .map((line) => `${line}\n`)
          .join(""),
      );
  });
}

/** Each command is made anew, because what it is told stays with it. */
async function explainAll(
  words: readonly string[],
  options: ShowOptions,
  { io, fresh }: LookContext,
): Promise<readonly ExplainedCommand[]> {
  const all = settableCommands(fresh(new Settings({}))).map(wordsOf);
  const isWord = (word: string | undefined): boolean => word !== undefined && !word.startsWith("-");
  const meant = all.filter((name) =>
    name.every((word, at) => at >= words.length || !isWord(words[at]) || word === words[at]),
  );
  if (meant.length === 0) throw unknownCommand(words, all);
  const explained: ExplainedCommand[] = [];
  for (const name of meant) {
    const settings = new Settings(io.env);
    const program = fresh(settings);
    const { config, profile } = options;
    if (config !== undefined) program.setOptionValue("config", config);
    if (profile !== undefined) program.setOptionValue("profile", profile);
    await settings.open(program);
    const command = settableCommands(program).find((each) => wordsOf(each).join(" ") === name.join(" "));
    if (command !== undefined) explained.push(await explain(command, settings, words.slice(name.length)));
  }
  return explained;
}

function unknownCommand(words: readonly string[], all: readonly (readonly string[])[]): FanfoldError {
  const typed = words.join(" ");
  const meant = nearestWord(
    typed,
    all.map((name) => name.join(" ")),
  );
  const advice = meant === undefined ? '"fanfold --help" shows all' : `did you mean "${meant}"?`;
  return new FanfoldError(
    "usage",
    `found no command "${escapeText(typed.slice(0, 100))}" that has settings; ${advice}`,
  );
}

function withoutDefaults({ command, options }: ExplainedCommand): ExplainedCommand {
  return { command, options: options.filter(({ origin }) => origin.from !== "default") };
}

function asText(commands: readonly ExplainedCommand[], options: ShowOptions, context: LookContext): readonly string[] {
  const { files, profile } = source(options, context);
  const user = userFile(context.io.env);
  return [
    files.length === 0 ? `no configuration file (that of this user would be ${user})` : `files: ${files.join(", ")}`,
    ...(profile === undefined ? [] : [`profile: ${profile}`]),
    ...commands.flatMap(({ command, options: rows }) => ["", `fanfold ${command}`, ...tableLines(rows.map(row))]),
  ];
}

function row({ option, value, origin, instead }: ExplainedOption): readonly string[] {
  const over = instead.length === 0 ? "" : ` (instead of ${instead.map(originText).join(", ")})`;
  return [`  ${option}`, escapeText(valueText(value)), originText(origin) + over];
}

function valueText(value: ExplainedOption["value"]): string {
  if (value === undefined) return "-";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function originText(origin: Origin): string {
  if (origin.from === "file") return `${origin.file}:${origin.line}`;
  return origin.from === "environment" ? origin.variable : origin.from;
}

function asJson(commands: readonly ExplainedCommand[], options: ShowOptions, context: LookContext) {
  return {
    ...source(options, context),
    commands: commands.map(({ command, options: rows }) => ({
      command,
      options: rows.map(({ option, value = null, origin, instead }) => ({ option, value, ...origin, instead })),
    })),
  };
}

function source(options: ShowOptions, { io, fresh }: LookContext) {
  const program = fresh(new Settings({}));
  if (options.config !== undefined) program.setOptionValue("config", options.config);
  const { config, profile = options.profile } = givenConfiguration(program, io.env);
  const files = configPlaces(config, io.env).map(({ path }) => shownPath(path));
  return { files, ...(profile === undefined ? {} : { profile }) };
}

/** A variable of a wrong name does nothing, and nobody would notice. */
function warnOfVariables(program: Command, { env, stderr }: { readonly env: Environment } & ProgramIo): void {
  const commands = settableCommands(program);
  const known = new Set<string>(commands.flatMap((command) => settableOptions(command).map(variableOf)));
  for (const name of ["FANFOLD_TOKEN", "FANFOLD_CONFIG", "FANFOLD_PROFILE"]) known.add(name);
  const words = [...known].map(wordOf);
  for (const name of Object.keys(env).filter((each) => each.startsWith(PREFIX) && !known.has(each))) {
    const meant = nearestWord(wordOf(name), words)?.toUpperCase().replaceAll("-", "_");
    if (meant !== undefined)
      stderr.write(
        `fanfold: warning: ${escapeText(name)} is the variable of no option; did you mean ${PREFIX}${meant}?\n`,
      );
  }
}

const PREFIX = "FANFOLD_";

function wordOf(variable: string): string {
  return variable.slice(PREFIX.length).toLowerCase().replaceAll("_", "-");
}
