import { wrapText } from "../view/text/wrap.ts";
import type { Output, ProgramIo } from "./program-io.ts";
import { columnsOf } from "./terminal-size.ts";

/** A text as it is written there: a terminal gets it broken between words. */
export function forOutput(text: string, output: Output): string {
  return output.isTTY === true ? wrapText(text, columnsOf(output)) : text;
}

/**
 * The same outputs for a command that lasts: each line begins with the time, as logs need it. It is the time of `--json`, in UTC,
 * so that the logs of several machines can be laid side by side. Terminals get none: a person is there.
 */
export function withTimes(io: ProgramIo): ProgramIo {
  return { ...io, stdout: timed(io.stdout, io), stderr: timed(io.stderr, io) };
}

function timed(output: Output, { clock }: Pick<ProgramIo, "clock">): Output {
  if (output.isTTY === true) return output;
  return { write: (text) => output.write(text.replaceAll(/^(?!$)/gm, `${clock.date().toISOString()} `)) };
}
