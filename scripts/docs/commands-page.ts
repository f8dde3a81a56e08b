import type { Argument, Command, Option } from "commander";
import { createProgram } from "../../src/cli/commands/program.ts";
import { visible } from "../../src/cli/completion/completion-model.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { defaultText, helpBehindOptions } from "./help-text.ts";

const LINE_CHARACTERS_MAX = 120;

/** The text of docs/commands.md: every command with its options, as its own definition has them. */
export function commandsPage(): string {
  const program = createProgram(
    { stdout: { write: () => true }, stderr: { write: () => true }, env: {}, clock: systemClock },
    () => undefined,
  );
  return `${[INTRODUCTION, ...visible(program).flatMap((command) => sections(command, "fanfold"))].join("\n\n")}\n`;
}

const INTRODUCTION = `# Commands

\`npm run docs\` makes this page from the options of the commands.

Every command ends with a documented [exit status](exit-status.md). With \`--json\` it prints [events](events.md).
[Filters](filters.md) explains the patterns, and what \`--delete\` deletes.

An option that is not typed comes from the environment or from a file: \`--dest-count\` from \`FANFOLD_DEST_COUNT\`, or from
\`dest-count\` in \`fanfold.toml\` ([configuration](configuration.md)).

A duration has a unit: \`30s\`, \`5m\`, \`2h\`. A rate without a unit is in KiB a second: \`500\`, \`500K\`, \`20M\`.`;

/** A command, and the commands below it. */
function sections(command: Command, parent: string): string[] {
  const name = `${parent} ${command.name()}`;
  const own = command.commands.length === 0 ? leaf(command, name) : [`## ${name}`, wrapped(command.description())];
  return [own.join("\n\n"), ...command.commands.flatMap((below) => sections(below, name))];
}

function leaf(command: Command, name: string): string[] {
  const places = command.registeredArguments.map((argument) => ` ${placeOf(argument)}`).join("");
  const behind = helpBehindOptions(command);
  return [
    `## ${name}`,
    `\`${name} [options]${places}\``,
    wrapped(command.description()),
    ...(places === "" ? [] : [table(["argument", "meaning"], command.registeredArguments.map(argumentRow))]),
    table(["option", "meaning", "default"], [...command.options.map(optionRow), HELP_ROW]),
    ...(behind === "" ? [] : [`\`\`\`text\n${behind}\n\`\`\``]),
  ];
}

const HELP_ROW = ["`-h, --help`", "show this help", ""];

function placeOf(argument: Argument): string {
  const place = argument.name().toUpperCase();
  return argument.required ? place : `[${place}]`;
}

function argumentRow(argument: Argument): readonly string[] {
  return [`\`${placeOf(argument)}\``, argument.description];
}

function optionRow({ flags, description, argChoices, ...option }: Option): readonly string[] {
  const choices = argChoices === undefined ? "" : ` (${argChoices.map((choice) => `\`${choice}\``).join(", ")})`;
  const meant = defaultText(option);
  return [`\`${flags}\``, description + choices, meant === "" ? "" : `\`${meant}\``];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines
    .map((cells) => `|${cells.map((cell) => ` ${cell.replaceAll("|", "\\|")}`.trimEnd()).join(" |")} |`)
    .join("\n");
}

function wrapped(text: string): string {
  let line = "";
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > LINE_CHARACTERS_MAX) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
