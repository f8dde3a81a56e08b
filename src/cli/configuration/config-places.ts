import { statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Environment } from "../process/program-io.ts";

/** A configuration file that is to be read. */
export interface ConfigPlace {
  readonly path: Buffer;
  /** Named by a person, and not found where files of its kind are. */
  readonly isNamed: boolean;
}

const SYSTEM_FILE = "/etc/fanfold/fanfold.toml";
/** The name that stands for no file at all. */
const NO_FILE = "/dev/null";

/** The files that count, the weightiest first. A file that is named counts alone. */
export function configPlaces(named: Buffer | undefined, env: Environment): readonly ConfigPlace[] {
  if (named !== undefined) return named.toString() === NO_FILE ? [] : [{ path: named, isNamed: true }];
  return [userFile(env), SYSTEM_FILE].filter(isThere).map((path) => ({ path: Buffer.from(path), isNamed: false }));
}

/** By the XDG base directory rules, relative values ignored as they ask. */
export function userFile({ XDG_CONFIG_HOME: named }: Environment): string {
  const base = named !== undefined && isAbsolute(named) ? named : join(homedir(), ".config");
  return join(base, "fanfold", "fanfold.toml");
}

/** A directory that this user may not search has nothing for it. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
