import { readFileSync, writeFileSync } from "node:fs";
import { FanfoldError, reasonOf, systemCode } from "../../../lib/errors.ts";
import { shownPath } from "../../../lib/folder/file-path.ts";
import { defaultSourceState } from "../../../lib/folder/state-folder.ts";
import { systemRandom } from "../../../lib/random.ts";
import { fingerprint } from "../../../protocol/names/fingerprint.ts";
import { openSourceFolder } from "../../../source/disk/source-folder.ts";
import {
  findIdentity,
  identityPath,
  readIdentityFile,
  replaceIdentity,
  sourceIdentity,
} from "../../../source/identity.ts";
import {
  formatIdentity,
  freshIdentity,
  type Identity,
  isFormer,
  parseIdentity,
  publicKeyOf,
} from "../../../source/identity-text.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { runOnce } from "../../process/run-once.ts";

/** As commander reads them. */
export interface IdentityOptions {
  readonly stateDir?: Buffer;
}
export interface ShowIdentityOptions extends IdentityOptions {
  readonly create?: boolean;
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

/** `fanfold identity show DIR`: makes one only with `--create`. */
export function showIdentity(folder: string, options: ShowIdentityOptions, io: ProgramIo): Promise<number> {
  return runOnce(io, () => {
    const { root, stateDir } = keeperOf(folder, options, io);
    const find = options.create === true ? sourceIdentity : findIdentity;
    const identity = find(stateDir, root, systemRandom);
    const none = "none yet: the first copy makes one, or --create";
    const print = identity === undefined ? none : shown(identity);
    const key = identity === undefined ? none : publicKeyOf(identity);
    const place = shownPath(identityPath(stateDir, root));
    io.stdout.write(`${shownPath(root)}\n  fingerprint  ${print}\n  public key   ${key}\n  kept in      ${place}\n`);
  });
}

/** `fanfold identity export DIR FILE`: makes one where there is none, so that another machine can have it before the first copy. */
export function exportIdentity({ folder, file }: Places, options: IdentityOptions, io: ProgramIo): Promise<number> {
  return runOnce(io, () => {
    const { root, stateDir } = keeperOf(folder, options, io);
    if (file === "-") {
      io.stdout.write(formatIdentity(sourceIdentity(stateDir, root, systemRandom)));
      return;
    }
    const path = parsePath(file, "the file to write");
    const identity = sourceIdentity(stateDir, root, systemRandom);
    try {
      writeFileSync(path, formatIdentity(identity), { mode: 0o600, flag: "wx", flush: true });
    } catch (cause) {
      const reason = systemCode(cause) === "EEXIST" ? "it exists already; name a new file" : reasonOf(cause);
      throw new FanfoldError("usage", `cannot write the identity to "${shownPath(path)}": ${reason}`, { cause });
    }
    io.stdout.write(`wrote the identity ${shown(identity)} to ${shownPath(path)}\n`);
  });
}

/** `fanfold identity import DIR FILE` */
export function importIdentity({ folder, file }: Places, options: ImportOptions, io: ProgramIo): Promise<number> {
  return runOnce(io, () => {
    const { root, stateDir } = keeperOf(folder, options, io);
    const identity =
      file === "-" ? readStandardInput() : readIdentityFile(parsePath(file, "the file to read"), systemRandom);
    const known = findIdentity(stateDir, root, systemRandom);
    const isSame = known?.seed === identity.seed;
    if (known !== undefined && !isSame && options.replace !== true)
      throw new FanfoldError(
        "usage",
        `cannot import the identity ${shown(identity)} for "${shownPath(root)}": it has another one, ${shown(known)}; use --replace to replace it`,
      );
    if (!isSame) replaceIdentity(stateDir, root, { identity, random: systemRandom });
    io.stdout.write(`${shownPath(root)} has the identity ${shown(identity)}\n`);
  });
}

function keeperOf(folder: string, options: IdentityOptions, io: ProgramIo): Keeper {
  const { root } = openSourceFolder(parsePath(folder, "the directory of the source"));
  return { root, stateDir: options.stateDir ?? defaultSourceState(io.env) };
}

function readStandardInput(): Identity {
  const found = parseIdentity(readFileSync(0, "latin1"));
  if (found !== undefined) return isFormer(found) ? { ...freshIdentity(systemRandom), former: found.former } : found;
  throw new FanfoldError(
    "usage",
    'cannot read the identity from standard input: found something else, want what "fanfold identity export" writes',
  );
}

/** What people compare: a secret itself is shown to nobody. */
function shown(identity: Identity): string {
  return fingerprint(publicKeyOf(identity));
}
