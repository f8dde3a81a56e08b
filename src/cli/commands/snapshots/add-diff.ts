import { type Command, Option } from "commander";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { DiffOptions } from "./diff-command.ts";
import type { FindOptions } from "./find-command.ts";

/** `fanfold diff` and `fanfold find`: what changed from snapshot to snapshot. */
export function addDiff(program: Command, io: ProgramIo, finish: Finish): void {
  program
    .command("diff")
    .summary("list what differs between two snapshots")
    .description(
      "Lists what differs between two snapshots of FOLDER, by what was proven of them: + added, - removed, M other content, U other metadata, T another kind.",
    )
    .argument("<folder>", "the folder of a sink")
    .argument("<from>", "the earlier snapshot: a time, its name, or latest")
    .argument("<to>", "the later one")
    .addOption(new Option("--stat", "print only how much differs"))
    .addOption(new Option("--json", "print each difference as one line of JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", DIFF_HELP)
    .action(async (folder: string, from: string, to: string, options: DiffOptions) => {
      const { diffCommand } = await import("./diff-command.ts");
      finish(await diffCommand({ folder, from, to }, options, io));
    });
  program
    .command("find")
    .summary("find an entry in the snapshots of a sink's folder")
    .description(
      "Says in which snapshots of FOLDER an entry stands, and when it changed. NAME is a name or a path, and may have wildcards as filters have (docs/filters.md).",
    )
    .argument("<folder>", "the folder of a sink")
    .argument("<name>", "what to look for")
    .addOption(new Option("--json", "print each entry as one line of JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", FIND_HELP)
    .action(async (folder: string, name: string, options: FindOptions) => {
      const { findCommand } = await import("./find-command.ts");
      finish(await findCommand({ folder, name }, options, io));
    });
}

const DIFF_HELP = `
Examples:
  fanfold diff /backup/photos yesterday latest
  fanfold diff --stat /backup/photos 30d latest
`;

const FIND_HELP = `
Examples:
  fanfold find /backup/photos beach.jpg
  fanfold find /backup/photos "/holidays/**/*.raw"
`;
