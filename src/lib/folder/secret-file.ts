import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { Clock } from "../clock.ts";
import { FanfoldError, reasonOf, systemCode } from "../errors.ts";
import { type FilePath, pathBytes } from "./file-path.ts";
import { isOpenToOthers } from "./small-file.ts";

interface SecretFile {
  /** What is tried, for errors: `cannot read the token in "/run/token"`. What is in the file stands in none. */
  readonly what: string;
  /** What to do about a file that is not there. */
  readonly remedy?: string;
}

/**
 * Opens what a person named as a secret: a file that nobody else may read, or a pipe (`<(pass show fanfold)`). The caller
 * closes the descriptor.
 *
 * @throws FanfoldError `usage`
 */
export function openSecretFile(path: FilePath, { what, remedy }: SecretFile): number {
  let fd: number;
  try {
    // A pipe that nobody writes to would hold the process.
    fd = openSync(pathBytes(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const advice = systemCode(cause) === "ENOENT" && remedy !== undefined ? `; ${remedy}` : "";
    throw new FanfoldError("usage", `${what}: ${reasonOf(cause)}${advice}`, { cause });
  }
  const stats = fstatSync(fd);
  const isOpen = stats.isFile() && isOpenToOthers(stats);
  if (!isOpen && !stats.isDirectory()) return fd;
  closeSync(fd);
  const mode = (stats.mode & 0o777).toString(8).padStart(3, "0");
  const found = isOpen ? `others on this machine may read it (mode ${mode}); chmod 600 it` : "it is a directory";
  throw new FanfoldError("usage", `${what}: ${found}`);
}

interface SecretRead extends SecretFile {
  readonly bytesMax: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Whoever writes into a pipe may have to ask a person for a passphrase first. */
const PIPE_WAIT_MS_MAX = 60_000;
const PIPE_LOOK_MS = 50;

/** All of such a file, or of what comes through the pipe. @throws FanfoldError `usage`, or the reason of the signal */
export async function readSecretFile(path: FilePath, options: SecretRead): Promise<string> {
  const { what, bytesMax } = options;
  const fd = openSecretFile(path, options);
  try {
    const bytes = await readThrough(fd, options);
    if (bytes.length <= bytesMax) return bytes.toString("utf8");
  } catch (cause) {
    throw cause instanceof FanfoldError ? cause : new FanfoldError("usage", `${what}: ${reasonOf(cause)}`, { cause });
  } finally {
    closeSync(fd);
  }
  throw new FanfoldError("usage", `${what}: it has more than ${bytesMax} bytes, so it is something else`);
}

async function readThrough(fd: number, { bytesMax, clock, signal }: SecretRead): Promise<Buffer> {
  const buffer = Buffer.alloc(bytesMax + 1);
  const isPipe = fstatSync(fd).isFIFO();
  const untilMs = clock.nowMs() + PIPE_WAIT_MS_MAX;
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSome(fd, buffer, filled);
    const isOver = clock.nowMs() >= untilMs;
    // An empty pipe at its end: whoever writes has not opened it yet.
    if (count === 0 && (!isPipe || filled > 0 || isOver)) break;
    if (count === undefined && isOver) break;
    if (count === undefined || count === 0) await clock.sleep(PIPE_LOOK_MS, signal);
    else filled += count;
  }
  return buffer.subarray(0, filled);
}

/** Undefined when there is nothing yet. Throws system errors. */
function readSome(fd: number, buffer: Buffer, at: number): number | undefined {
  try {
    return readSync(fd, buffer, at, buffer.length - at, null);
  } catch (thrown) {
    if (systemCode(thrown) === "EAGAIN") return undefined;
    throw thrown;
  }
}
