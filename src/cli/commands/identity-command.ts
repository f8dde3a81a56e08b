import { readFileSync, writeFileSync } from "node:fs";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import { defaultSourceState } from "../../lib/folder/state-folder.ts";
import { systemRandom } from "../../lib/random.ts";
import { fingerprint } from "../../protocol/names/fingerprint.ts";
import { openSourceFolder } from "../../source/disk/source-folder.ts";
import {
  findSecret,
  identityOf,
  identityPath,
  readIdentityFile,
  replaceSecret,
  secretIn,
  sourceSecret,
} from "../../source/identity.ts";
import { parsePath } from "../options/parse-name.ts";
import { EXIT_STATUS, statusOfCode } from "../process/exit-status.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { reportError } from "../process/report-error.ts";

/** As commander reads them. */
export interface IdentityOptions {
  readonly stateDir?: Buffer;
}
export interface ImportOptions extends IdentityOptions {
  readonly replace?: boolean;
}

interface Places {
  readonly folder: string;
  readonly file: string;
}

/** The directory and the state that an identity belongs to. */
interface Keeper {
  readonly root: Buffer;
  readonly stateDir: Buffer | string;
}

/** `fanfold identity show DIR` */
export function showIdentity(folder: string, options: IdentityOptions, io: ProgramIo): Promise<number> {
  return run(io, () => {
    const { root, stateDir } = keeperOf(folder, options, io);
    const secret = findSecret(stateDir, root);
    const print = secret === undefined ? "none yet: the first copy makes one" : shown(secret);
    const place = shownPath(identityPath(stateDir, root));
    io.stdout.write(`${shownPath(root)}\n  fingerprint  ${print}\n  kept in      ${place}\n`);
  });
}

/** `fanfold identity export DIR FILE`: makes one where there is none, so that another machine can have it before the first copy. */
export function exportIdentity({ folder, file }: Places, options: IdentityOptions, io: ProgramIo): Promise<number> {
  return run(io, () => {
    const { root, stateDir } = keeperOf(folder, options, io);
    if (file === "-") {
      io.stdout.write(`${sourceSecret(stateDir, root, systemRandom)}\n`);
      return;
    }
    const path = parsePath(file, "the file to write");
    const secret = sourceSecret(stateDir, root, systemRandom);
    try {
      writeFileSync(path, `${secret}\n`, { mode: 0o600, flag: "wx", flush: true });
    } catch (cause) {
      const reason = systemCode(cause) === "EEXIST" ? "it exists already; name a new file" : reasonOf(cause);
      throw new FanfoldError("usage", `cannot write the identity to "${shownPath(path)}": ${reason}`, { cause });
    }
    io.stdout.write(`wrote the identity ${shown(secret)} to ${shownPath(path)}\n`);
  });
}

/** `fanfold identity import DIR FILE` */
export function importIdentity({ folder, file }: Places, options: ImportOptions, io: ProgramIo): Promise<number> {
  return run(io, () => {
    const { root, stateDir } = keeperOf(folder, options, io);
    const secret = file === "-" ? readStandardInput() : readIdentityFile(parsePath(file, "the file to read"));
    const known = findSecret(stateDir, root);
    if (known !== undefined && known !== secret && options.replace !== true)
      throw new FanfoldError(
        "usage",
        `cannot import the identity ${shown(secret)} for "${shownPath(root)}": it has another one, ${shown(known)}; use --replace to replace it`,
      );
    if (known !== secret) replaceSecret(stateDir, root, { secret, random: systemRandom });
    io.stdout.write(`${shownPath(root)} has the identity ${shown(secret)}\n`);
  });
}

function keeperOf(folder: string, options: IdentityOptions, io: ProgramIo): Keeper {
  const { root } = openSourceFolder(parsePath(folder, "the directory of the source"));
  return { root, stateDir: options.stateDir ?? defaultSourceState(io.env) };
}

function readStandardInput(): string {
  const secret = secretIn(readFileSync(0, "latin1"));
  if (secret !== undefined) return secret;
  throw new FanfoldError(
    "usage",
    "cannot read the identity from standard input: found something else, want the 64 hex digits of an identity",
  );
}

/** What people compare: a secret itself is shown to nobody. */
function shown(secret: string): string {
  return fingerprint(identityOf(secret));
}

async function run(io: ProgramIo, work: () => void): Promise<number> {
  try {
    work();
    return EXIT_STATUS.ok;
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: false, json: false });
    return statusOfCode(error.code);
  }
}
