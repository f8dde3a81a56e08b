import { spawnSync } from "node:child_process";
import { chownSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `nobody`: owns nothing, may do nothing special. */
const NOBODY = 65_534;
const isSuperuser = process.getuid?.() === 0;

/** Runs a program of this folder as an ordinary user, and gives what it printed, read as JSON. */
export function runAsOrdinaryUser(program: string, args: readonly string[]): unknown {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const user = isSuperuser ? { uid: NOBODY, gid: NOBODY } : {};
  const { stdout, stderr, status } = spawnSync(process.execPath, [path, ...args], { ...user, encoding: "utf8" });
  if (status !== 0) throw new Error(`"${program}" ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Gives a file or folder to that user. */
export function giveToOrdinaryUser(...paths: readonly string[]): void {
  if (isSuperuser) for (const path of paths) chownSync(path, NOBODY, NOBODY);
}

/** Program and arguments by which root runs another one as that user, in the habit of letting nobody else see what it makes. */
export const AS_ORDINARY_USER = [
  ...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
  ...["sh", "-c", 'umask 077 && exec "$@"', "sh"],
];
