import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeName, utf8Length } from "../../lib/escape-name.ts";

/*
 * Arguments are bytes, and Node.js hands them on as text. Bytes that are not UTF-8 become U+FFFD, and the path then names
 * something else. So they are read again from `/proc/self/cmdline`. For the parser each byte that is not UTF-8 becomes half
 * a character (U+DC80 to U+DCFF), as in Python (PEP 383). No other argument has such halves. `argumentBytes` turns them
 * back.
 */
const LOST = "\uFFFD";
const HALF = 0xdc00;
const HALVES = /[\uDC80-\uDCFF]/;

/**
 * The arguments of this process, as text that keeps every byte.
 *
 * @param given the same as Node.js has them
 * @throws FanfoldError `usage` where bytes may be lost, and the system does not tell them
 */
export function readArguments(given: readonly string[], commandLine = readCommandLine()): string[] {
  if (!given.some((argument) => argument.includes(LOST))) return [...given];
  const found = lastArguments(commandLine, given.length);
  const isSame = found?.every((bytes, index) => bytes.toString() === given[index]) === true;
  if (found !== undefined && isSame) return found.map(argumentText);
  const [first = ""] = given.filter((argument) => argument.includes(LOST));
  throw new FanfoldError(
    "usage",
    `cannot read the argument "${escapeName(Buffer.from(first))}": it is not UTF-8, and this system does not show its bytes; use a path in UTF-8`,
  );
}

/** The bytes that an argument was given as. */
export function argumentBytes(text: string): Buffer {
  if (!HALVES.test(text)) return Buffer.from(text);
  const isHalf = (character: string): boolean => character.length === 1 && HALVES.test(character);
  return Buffer.concat(
    [...text].map((character) =>
      isHalf(character) ? Buffer.from([character.charCodeAt(0) - HALF]) : Buffer.from(character),
    ),
  );
}

/** Text for the parser that stands for these bytes. */
export function argumentText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = utf8Length(bytes, at);
    text += length === 0 ? String.fromCharCode(HALF + (bytes[at] ?? 0)) : bytes.toString("utf8", at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** What stands before them, the options of Node.js among it, is none of ours. Each ends with a NUL. */
function lastArguments(commandLine: Buffer | undefined, count: number): readonly Buffer[] | undefined {
  if (commandLine === undefined || commandLine.at(-1) !== 0) return undefined;
  const all: Buffer[] = [];
  for (let from = 0; from < commandLine.length; ) {
    const end = commandLine.indexOf(0, from);
    all.push(commandLine.subarray(from, end));
    from = end + 1;
  }
  return all.length < count ? undefined : all.slice(all.length - count);
}

function readCommandLine(): Buffer | undefined {
  try {
    return readFileSync("/proc/self/cmdline");
  } catch {
    return undefined;
  }
}
