import type { Command } from "commander";
import { FanfoldError } from "../../../lib/errors.ts";
import { checkDocument } from "../../configuration/config-check.ts";
import { readDocument } from "../../configuration/config-document.ts";
import { profilesIn } from "../../configuration/config-files.ts";
import { type ConfigPlace, configPlaces, userFile } from "../../configuration/config-places.ts";
import { Settings } from "../../configuration/settings.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { runOnce } from "../../process/run-once.ts";
import type { LookContext } from "./fresh-program.ts";

/** `fanfold config check [FILE]` */
export async function checkCommand(file: Buffer | undefined, { io, fresh }: LookContext): Promise<number> {
  const results: boolean[] = [];
  const status = await runOnce(io, () => {
    const places = configPlaces(file, io.env);
    if (places.length === 0)
      throw new FanfoldError("usage", `found no configuration file: want "${userFile(io.env)}", or one that you name`);
    const program = fresh(new Settings({}));
    for (const place of places) results.push(check(place, program, io));
  });
  return status === EXIT_STATUS.ok && results.includes(false) ? EXIT_STATUS.configInvalid : status;
}

/** Whether nothing is wrong. */
function check(place: ConfigPlace, program: Command, { stdout, stderr }: ProgramIo): boolean {
  const document = readDocument(place);
  const { shown, writtenBy } = document;
  const findings = checkDocument(document, program);
  for (const { line, text } of findings) stderr.write(`${shown}:${line}: ${text}\n`);
  if (writtenBy !== undefined)
    stderr.write(`fanfold: warning: it is read only when --config names it: of "${shown}" ${writtenBy}\n`);
  const profiles = profilesIn([document]).length;
  if (findings.length === 0)
    stdout.write(`${shown}: nothing is wrong; ${profiles} ${profiles === 1 ? "profile" : "profiles"}\n`);
  return findings.length === 0;
}
