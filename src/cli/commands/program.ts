import { Command } from "commander";
import type { Finish } from "../options/shared-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { columnsOf } from "../process/terminal-size.ts";
import { forOutput } from "../process/written-lines.ts";
import { packageVersion } from "../version.ts";
import { addCoordinator } from "./add-coordinator.ts";
import { addIdentity } from "./add-identity.ts";
import { addSink } from "./add-sink.ts";
import { addSource } from "./add-source.ts";
import { addVerify } from "./add-verify.ts";

/** The commands with their options and help. The code of each is loaded when it is called. */
export function createProgram(io: ProgramIo, finish: Finish): Command {
  const program = new Command("fanfold")
    .description("Copies one directory to many machines at once, through a message broker, and proves every copy.")
    .version(packageVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ helpWidth: helpColumns(io) })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(forOutput(text, io.stdout)),
      writeErr: (text) => void io.stderr.write(forOutput(text, io.stderr)),
      outputError: (text, write) => write(oneLine(text)),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError(false)
    .exitOverride()
    .addHelpText("after", PROGRAM_HELP);
  addCoordinator(program, io, finish);
  addSource(program, io, finish);
  addSink(program, io, finish);
  addVerify(program, io, finish);
  addIdentity(program, io, finish);
  return program;
}

/** No wider than it can be read with ease, and than the texts behind the options. */
const HELP_COLUMNS_MAX = 80;

function helpColumns({ stdout }: ProgramIo): number {
  return Math.min(columnsOf(stdout), HELP_COLUMNS_MAX);
}

/** Commander's own messages, in the form of all others. */
function oneLine(text: string): string {
  const said = text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ");
  return `fanfold: ${said}; try "fanfold --help" or "fanfold COMMAND --help"\n`;
}

const PROGRAM_HELP = `
Examples:
  fanfold coordinator                     on one machine: brings them together
  fanfold sink /backup/photos             on every machine that gets a copy
  fanfold source ~/photos --dest-count 2  on the machine that has the files:
                                          starts when two sinks are there
`;
