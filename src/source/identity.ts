import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { readFully } from "../lib/disk/read-fully.ts";
import { FanfoldError, reasonOf, systemCode } from "../lib/errors.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "../lib/folder/file-path.ts";
import { makeDirectories } from "../lib/folder/make-directories.ts";
import type { Random } from "../lib/random.ts";

/** Of a file that somebody names by mistake no more is read. */
const IDENTITY_BYTES_MAX = 1024;

/** What others know a source by: from it nobody learns the secret. */
export function identityOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The secret that a text holds: 64 hex digits, and white space around them. */
export function secretIn(text: string): string | undefined {
  const trimmed = text.trim();
  return /^[0-9a-f]{64}$/.test(trimmed) ? trimmed : undefined;
}

/**
 * The secret in a file that a person named (`--identity`, `fanfold identity import`). It never stands in the text of an error.
 *
 * @throws FanfoldError `usage`
 */
export function readIdentityFile(path: FilePath): string {
  const what = `cannot read the identity in "${shownPath(path)}"`;
  let fd: number;
  try {
    fd = openSync(pathBytes(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const remedy = systemCode(cause) === "ENOENT" ? '; "fanfold identity export" writes one' : "";
    throw new FanfoldError("usage", `${what}: ${reasonOf(cause)}${remedy}`, { cause });
  }
  try {
    const stats = fstatSync(fd);
    const mode = (stats.mode & 0o777).toString(8).padStart(3, "0");
    if (stats.isFile() && (stats.mode & 0o077) !== 0)
      throw new FanfoldError("usage", `${what}: others on this machine may read it (mode ${mode}); chmod 600 it`);
    const buffer = Buffer.alloc(IDENTITY_BYTES_MAX);
    const secret = stats.isDirectory() ? undefined : secretIn(buffer.toString("latin1", 0, readFully(fd, buffer, 0)));
    if (secret !== undefined) return secret;
  } catch (cause) {
    throw cause instanceof FanfoldError ? cause : new FanfoldError("usage", `${what}: ${reasonOf(cause)}`, { cause });
  } finally {
    closeSync(fd);
  }
  throw new FanfoldError("usage", `${what}: found something else, want the 64 hex digits of an identity`);
}

/** Where the identity of a directory, named by its canonical path, is kept. */
export function identityPath(stateDir: FilePath, canonicalFolder: Buffer): Buffer {
  return pathIn(stateDir, "sources", createHash("sha256").update(canonicalFolder).digest("hex"));
}

/** The secret of a directory's source, or undefined when it has none yet. @throws FanfoldError `folder-denied` */
export function findSecret(stateDir: FilePath, canonicalFolder: Buffer): string | undefined {
  return keeping(stateDir, () => read(identityPath(stateDir, canonicalFolder)));
}

/** Makes a secret that of a directory's source, in the place of the one it had. @throws FanfoldError `folder-denied` */
export function replaceSecret(
  stateDir: FilePath,
  canonicalFolder: Buffer,
  { secret, random }: { readonly secret: string; readonly random: Random },
): void {
  keeping(stateDir, () => {
    const path = identityPath(stateDir, canonicalFolder);
    renameSync(writeDraft(stateDir, path, { secret, random }), path);
  });
}

/**
 * The secret by which a source is known as the same one coming back (D5). It belongs to one directory, named by its
 * canonical path, and is kept in the state directory: never in the tree that is copied.
 *
 * @returns 64 hex digits
 * @throws FanfoldError `folder-denied` when the state directory cannot be used
 */
export function sourceSecret(stateDir: FilePath, canonicalFolder: Buffer, random: Random): string {
  return keeping(stateDir, () => {
    const path = identityPath(stateDir, canonicalFolder);
    const known = read(path);
    if (known !== undefined) return known;
    const secret = random.hex(32);
    const draft = writeDraft(stateDir, path, { secret, random });
    try {
      // A link, unlike a rename, does not replace what another process put there meanwhile: that one is then ours, too.
      linkSync(draft, path);
    } catch {
      // Something stands there, or the file system has no links. Only what is no secret is replaced.
      if (read(path) === undefined) renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
    return read(path) ?? secret;
  });
}

/** Written whole under another name, so that a kill leaves no half a secret. */
function writeDraft(
  stateDir: FilePath,
  path: Buffer,
  { secret, random }: { readonly secret: string; readonly random: Random },
): Buffer {
  makeDirectories(pathIn(stateDir, "sources"), 0o700);
  const draft = Buffer.concat([path, Buffer.from(`.${random.hex(4)}`)]);
  writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: "wx", flush: true });
  return draft;
}

function keeping<T>(stateDir: FilePath, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const place = shownPath(pathIn(stateDir, "sources"));
    throw new FanfoldError(
      "folder-denied",
      `cannot keep the source's identity in "${place}": ${reasonOf(cause)}; name another folder with --state-dir`,
      { cause },
    );
  }
}

function read(path: Buffer): string | undefined {
  try {
    return secretIn(readFileSync(path, "utf8"));
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
