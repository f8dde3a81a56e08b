import { fchmodSync, lstatSync, mkdirSync } from "node:fs";
import { Directories, joined } from "../../lib/disk/directories.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import {
  COORDINATORS_BYTES_MAX,
  COORDINATORS_FILE,
  type CoordinatorMemory,
} from "../../member/remembered-coordinators.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { MANIFEST } from "../manifest/manifest.ts";
import {
  decodeFacts,
  encodeFacts,
  FACTS_BYTES_MAX,
  FACTS_FILE,
  type FolderFacts,
  type KnownFacts,
} from "./folder-facts.ts";
import { type OwnPlace, ownNames, placeIn, readOwnFile, removeOwnFile, writeOwnFile } from "./own-files.ts";
import { isLockName, lockName, lockOwnFolder } from "./own-lock.ts";
import type { OwnLock } from "./sqlite-lock.ts";

const OWN = Buffer.from(OWN_FOLDER);

/**
 * `.fanfold` of a sink's folder while this process holds its lock, and the facts in it. It is held open from the beginning:
 * whatever takes its name later, facts are read and written in the directory that was locked (D11).
 */
export class OwnFolder implements Disposable {
  readonly #path: Buffer;
  readonly #directories: Directories;
  readonly #place: OwnPlace;
  readonly #lock: OwnLock;
  /** Content of the file of the facts. */
  #written: string | undefined;

  private constructor(path: Buffer, directories: Directories, lock: OwnLock) {
    this.#path = path;
    this.#directories = directories;
    this.#place = placeIn(directories);
    this.#lock = lock;
  }

  /**
   * Makes what is missing of it in a folder, and takes the lock. Undefined when somebody else has it.
   *
   * @throws FanfoldError `folder-denied`; system errors
   */
  static open(path: Buffer): OwnFolder | undefined {
    const directories = Directories.open(path, process.platform);
    try {
      prepare(directories, path);
      const lock = lockOwnFolder(directories, { kind: "write", folder: path });
      if (lock !== false && lock !== undefined) {
        removeForeignLocks(directories);
        return new OwnFolder(path, directories, lock);
      }
    } catch (thrown) {
      directories[Symbol.dispose]();
      throw thrown;
    }
    directories[Symbol.dispose]();
    return undefined;
  }

  /** Lets others read the folder; no other sink gets in. */
  lend(): void {
    this.#lock.share();
  }

  /** Has it alone again. False while somebody reads. */
  claim(): boolean {
    return this.#lock.claim();
  }

  /** Whether a copy into the folder was once proven. */
  get hasManifest(): boolean {
    const path = this.#place.at(OWN, Buffer.from(MANIFEST));
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  }

  /** Undefined when there are none yet. @throws FanfoldError `folder-denied` when they are damaged; system errors */
  readFacts(): KnownFacts | undefined {
    const bytes = readOwnFile(this.#place, FACTS_FILE, FACTS_BYTES_MAX);
    if (bytes === undefined) return undefined;
    const facts = decodeFacts(bytes);
    if (facts === undefined) throw this.#damaged();
    this.#written = bytes.toString();
    return facts;
  }

  /** Puts them on the disk, unless they are what is there. Throws system errors. */
  writeFacts(facts: FolderFacts): void {
    const text = encodeFacts(facts);
    if (text === this.#written) return;
    writeOwnFile(this.#place, FACTS_FILE, text);
    this.#written = text;
  }

  /** What is remembered of coordinators. */
  get coordinators(): CoordinatorMemory {
    return {
      read: () =>
        this.#remembering("read", () =>
          readOwnFile(this.#place, COORDINATORS_FILE, COORDINATORS_BYTES_MAX)?.toString("utf8"),
        ),
      write: (text) => this.#remembering("write", () => writeOwnFile(this.#place, COORDINATORS_FILE, text)),
    };
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
    this.#directories[Symbol.dispose]();
  }

  #remembering<T>(verb: string, work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      const file = shownPath(pathIn(this.#path, OWN_FOLDER, COORDINATORS_FILE));
      throw folderError(`cannot ${verb} "${file}", which says how coordinators are known`, thrown);
    }
  }

  #damaged(): FanfoldError {
    const said = shownPath(this.#path);
    const text = `cannot open the sink's folder "${said}": "${OWN_FOLDER}/${FACTS_FILE}" in it is damaged: remove that file, then start the sink again; it forgets its source`;
    return new FanfoldError("folder-denied", text);
  }
}

/** What came along when the folder was copied: the lock of the directory that it was copied from. */
function removeForeignLocks(directories: Directories): void {
  const [place, own] = [placeIn(directories), lockName(directories)];
  for (const name of ownNames(place)) if (isLockName(name) && name !== own) removeOwnFile(place, name);
}

/** A real directory, for its owner alone. */
function prepare(directories: Directories, path: Buffer): void {
  try {
    mkdirSync(joined(directories.root, OWN), { mode: 0o700 });
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
  try {
    fchmodSync(directories.get(OWN).fd, 0o700);
  } catch (cause) {
    if (systemCode(cause) !== "ENOTDIR" && systemCode(cause) !== "ELOOP") throw cause;
    const text = `cannot open "${shownPath(pathIn(path, OWN_FOLDER))}": it is a link or a file, expected a directory`;
    throw new FanfoldError("folder-denied", text, { cause });
  }
}
