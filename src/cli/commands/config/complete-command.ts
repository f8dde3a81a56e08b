import type { Command } from "commander";
import { within } from "../../../lib/async/within.ts";
import { ASK_MS_MAX, askCoordinator } from "../../completion/ask.ts";
import type { AskedKind } from "../../completion/asked.ts";
import { readDocument } from "../../configuration/config-document.ts";
import { profilesIn } from "../../configuration/config-files.ts";
import { configPlaces } from "../../configuration/config-places.ts";
import { explain } from "../../configuration/explain.ts";
import { takesSettings } from "../../configuration/option-keys.ts";
import { givenConfiguration, Settings } from "../../configuration/settings.ts";
import type { GivenDesk } from "../../operator/at-desk.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import type { LookContext } from "./fresh-program.ts";

/** More do not help at a prompt. */
const ANSWERS_MAX = 500;

/** `fanfold complete KIND -- WORDS`, which the scripts of `fanfold completion` call. Never says why it has no answer. */
export async function completeCommand(
  asked: AskedKind,
  words: readonly string[],
  context: LookContext,
): Promise<number> {
  const { io } = context;
  const found = answers(asked, words, context).catch((): readonly string[] => []);
  const names = await within(io.clock, ASK_MS_MAX, found, []);
  const plain = [...new Set(names)].filter((name) => /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(name)).sort();
  io.stdout.write(
    plain
      .slice(0, ANSWERS_MAX)
      .map((name) => `${name}\n`)
      .join(""),
  );
  return EXIT_STATUS.ok;
}

async function answers(
  asked: AskedKind,
  words: readonly string[],
  { io, fresh }: LookContext,
): Promise<readonly string[]> {
  const settings = new Settings(io.env);
  const silent = { write: () => true };
  const program = fresh(settings);
  program.configureOutput({ writeOut: silent.write, writeErr: silent.write, outputError: silent.write });
  const { operands, unknown } = program.parseOptions([...complete(words)]);
  if (asked === "profiles")
    return profilesIn(configPlaces(givenConfiguration(program, io.env).config, io.env).map(readDocument));
  await settings.open(program);
  const { command, rest } = typedCommand(program, operands);
  if (!takesSettings(command)) return [];
  mute(command);
  await explain(command, settings, [...rest, ...unknown]);
  const { stateDir, port, ...contact } = command.opts<GivenDesk>();
  if (contact.coordinator === undefined) return [];
  // The state of a source is another one.
  const isDesk = command.options.some(({ long }) => long === "--port");
  const place = isDesk ? { ...(stateDir && { stateDir }), ...(port && { port }) } : {};
  return askCoordinator(asked, { ...contact, ...place }, io);
}

/** Without the option at the end whose value is being typed. */
function complete(words: readonly string[]): readonly string[] {
  const last = words.at(-1) ?? "";
  return last.startsWith("-") && !last.includes("=") ? words.slice(0, -1) : words;
}

function typedCommand(program: Command, operands: readonly string[]) {
  let command = program;
  let at = 0;
  for (; at < operands.length; at += 1) {
    const below = command.commands.find((each) => each.name() === operands[at]);
    if (below === undefined) break;
    command = below;
  }
  return { command, rest: operands.slice(at) };
}

function mute(command: Command): void {
  const write = (): boolean => true;
  command.configureOutput({ writeOut: write, writeErr: write, outputError: write });
}
