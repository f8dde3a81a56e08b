import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { Hello } from "../protocol/control.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { sourceSecret } from "./identity.ts";

/** What says which source this is. */
export interface SourceIdentityOptions {
  readonly session?: string;
  readonly name?: string;
  readonly stateDir: string;
}

/** How a source introduces itself. `root` is the canonical path of its directory: it is part of its identity. */
export function sourceHello(options: SourceIdentityOptions, root: Buffer, random: Random): Hello {
  const { name, session, stateDir } = options;
  return {
    type: "hello",
    version: PROTOCOL_VERSION,
    role: "source",
    session: session ?? "default",
    label: name ?? hostname(),
    labelAsked: name !== undefined,
    secret: sourceSecret(stateDir, root, random),
  };
}

/** The canonical path of a directory that can be read. */
export function openFolder(folder: string): Buffer {
  try {
    const root = realpathSync(folder, { encoding: "buffer" });
    if (!statSync(root).isDirectory())
      throw new FanfoldError("folder-not-a-directory", `Read the directory "${folder}": it is no directory`);
    accessSync(root, constants.R_OK | constants.X_OK);
    return root;
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOENT")
      throw new FanfoldError("folder-missing", `Read the directory "${folder}": no such directory`, { cause: thrown });
    if (code === "ENOTDIR")
      throw new FanfoldError("folder-not-a-directory", `Read the directory "${folder}": it is no directory`, {
        cause: thrown,
      });
    if (code === "EACCES")
      throw new FanfoldError("folder-denied", `Read the directory "${folder}": permission denied`, { cause: thrown });
    throw FanfoldError.from(thrown);
  }
}
