import type { Argument, Command, Option } from "commander";
import { createProgram, SETTINGS_HELP } from "../../src/cli/commands/program.ts";
import { visible } from "../../src/cli/completion/completion-model.ts";
import { takesSettings } from "../../src/cli/configuration/option-keys.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { packageVersion } from "../../src/lib/package-version.ts";
import { defaultText, helpBehindOptions } from "./help-text.ts";
import { bold, italic, item, roff, section, verbatim } from "./roff.ts";

/** One for the program and one for each of its commands, by file name. */
export function manPages(): ReadonlyMap<string, string> {
  const output = { write: () => true };
  const program = createProgram({ stdout: output, stderr: output, env: {}, clock: systemClock }, () => undefined);
  const commands = visible(program);
  const names = commands.map((command) => `fanfold-${command.name()}`);
  const pages = commands.map((command, at) => {
    const name = names[at] ?? "";
    return [`${name}.1`, page(name, [...commandPage(command, name), ...seeAlso(["fanfold"])])] as const;
  });
  return new Map([["fanfold.1", page("fanfold", [...programPage(program), ...seeAlso(names)])], ...pages]);
}

/** The text of package.json with all of them: npm installs those that it names. */
export function withManPages(settings: string): string {
  const files = [...manPages().keys()].sort().map((name) => `    "./dist/man/${name}"`);
  return settings.replace(/("man": \[)[^\]]*\]/, `$1\n${files.join(",\n")}\n  ]`);
}

function page(name: string, lines: readonly string[]): string {
  const head = `.TH ${roff(name.toUpperCase())} 1 "" "fanfold ${roff(packageVersion())}" "fanfold"`;
  return `${[head, ...lines].join("\n")}\n`;
}

function programPage(program: Command): string[] {
  return [
    ...section("NAME", `fanfold \\- ${roff("one directory backed up to many machines at once")}`),
    ...section("SYNOPSIS", `${bold("fanfold")} ${italic("COMMAND")} [options]`),
    ...section("DESCRIPTION", roff(program.description())),
    ...section(
      "COMMANDS",
      ...visible(program).flatMap((command) => item(bold(command.name()), roff(command.summary()))),
    ),
    ...section("OPTIONS", ...options(program)),
    ...behindOptions(program),
    ...section(
      "ENVIRONMENT",
      ...item(bold("FANFOLD_TOKEN"), roff("The token that lets a member in, or an operator to the API.")),
      ...item(bold("FANFOLD_CONFIG"), roff("The file of --config.")),
      ...item(bold("FANFOLD_PROFILE"), roff("The name of --profile.")),
      ...item(
        `${bold("FANFOLD_")}${italic("OPTION")}`,
        roff("An option of a command: FANFOLD_DEST_COUNT for --dest-count."),
      ),
    ),
    ...section(
      "FILES",
      ...item(italic("$XDG_CONFIG_HOME/fanfold/fanfold.toml"), roff("The configuration of the user.")),
      ...item(italic("/etc/fanfold/fanfold.toml"), roff("The configuration of the system.")),
    ),
  ];
}

function commandPage(command: Command, name: string): string[] {
  const isGroup = command.commands.length > 0;
  return [
    ...section("NAME", `${roff(name)} \\- ${roff(command.summary())}`),
    ...section(
      "SYNOPSIS",
      ...(isGroup ? visible(command) : [command]).flatMap((each, at) => [...(at === 0 ? [] : [".br"]), synopsis(each)]),
    ),
    ...section("DESCRIPTION", roff(command.description())),
    ...(isGroup ? section("COMMANDS", ...visible(command).flatMap(below)) : leaf(command)),
    ...(isGroup || takesSettings(command) ? section("CONFIGURATION", roff(SETTINGS_HELP.trim())) : []),
    ...section("EXIT STATUS", roff("0 when it is done. The page exit-status.md of the package explains all others.")),
  ];
}

function synopsis(command: Command): string {
  const places = command.registeredArguments.map((argument) => ` ${placeOf(argument)}`).join("");
  return `${bold(wordsOf(command))} [options]${places}`;
}

function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}

function below(command: Command): string[] {
  const { registeredArguments } = command;
  return [
    `.SS ${roff(wordsOf(command))}`,
    roff(command.description()),
    ...registeredArguments.flatMap((argument) => item(placeOf(argument), roff(argument.description))),
    ...options(command),
    ...remarks(command).flatMap((text) => [".PP", ...verbatim(text)]),
  ];
}

function leaf(command: Command): string[] {
  const { registeredArguments } = command;
  const places = registeredArguments.flatMap((argument) => item(placeOf(argument), roff(argument.description)));
  return [
    ...(places.length === 0 ? [] : section("ARGUMENTS", ...places)),
    ...section("OPTIONS", ...options(command)),
    ...behindOptions(command),
  ];
}

function placeOf(argument: Argument): string {
  const place = italic(argument.name().toUpperCase()) + (argument.variadic ? "..." : "");
  return argument.required ? place : `[${place}]`;
}

function options(command: Command): string[] {
  const own = command.options.filter(({ hidden }) => !hidden).flatMap(optionItem);
  return [...own, ...item(`${bold("-h")}, ${bold("--help")}`, roff("show this help"))];
}

function optionItem({ flags, description, argChoices, ...option }: Option): string[] {
  const [, names = flags, value = ""] = /^(.*?)(?: ([<[].*))?$/.exec(flags) ?? [];
  const term = names.split(", ").map(bold).join(", ");
  const choices = argChoices === undefined ? "" : ` (choices: ${argChoices.join(", ")})`;
  const meant = defaultText(option);
  const otherwise = meant === "" ? "" : ` (default: ${meant})`;
  return item(
    value === "" ? term : `${term} ${italic(value.replaceAll(/[<>]/g, ""))}`,
    roff(description + choices + otherwise),
  );
}

/** Examples, and remarks behind them, as the help has them. */
function behindOptions(command: Command): string[] {
  return remarks(command).flatMap((text) => section("EXAMPLES", ...verbatim(text.replace(/^Examples:\n/, ""))));
}

function remarks(command: Command): readonly string[] {
  const text = helpBehindOptions(command);
  return text === "" ? [] : [text];
}

function seeAlso(names: readonly string[]): string[] {
  return section("SEE ALSO", names.map((name) => `${bold(name)}(1)`).join(",\n"));
}
