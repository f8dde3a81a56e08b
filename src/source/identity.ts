import { createHash } from "node:crypto";
import { closeSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFully } from "../lib/disk/read-fully.ts";
import { FanfoldError, reasonOf, systemCode } from "../lib/errors.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "../lib/folder/file-path.ts";
import { makeDirectories } from "../lib/folder/make-directories.ts";
import { openSecretFile } from "../lib/folder/secret-file.ts";
import type { Random } from "../lib/random.ts";
import { formatIdentity, freshIdentity, type Identity, isFormer, parseIdentity } from "./identity-text.ts";

/** Of a file that somebody names by mistake no more is read. */
const IDENTITY_BYTES_MAX = 1024;

/**
 * The identity in a file that a person named (`--identity`, `fanfold identity import`). It never stands in the text of an
 * error. A file of version 0.1 is written anew, so that all who use it are one source.
 *
 * @throws FanfoldError `usage`
 */
export function readIdentityFile(path: FilePath, random: Random): Identity {
  const what = `cannot read the identity in "${shownPath(path)}"`;
  const found = parseIdentity(readPrivateText(path, what));
  if (found === undefined)
    throw new FanfoldError("usage", `${what}: found something else, want what "fanfold identity export" writes`);
  if (!isFormer(found)) return found;
  try {
    return takeOver(pathBytes(path), { former: found.former, random });
  } catch (cause) {
    const text = `${what}: it is of version 0.1, and a new one cannot be written in its place: ${reasonOf(cause)}`;
    throw new FanfoldError("usage", text, { cause });
  }
}

function readPrivateText(path: FilePath, what: string): string {
  const fd = openSecretFile(path, { what, remedy: '"fanfold identity export" writes one' });
  try {
    const buffer = Buffer.alloc(IDENTITY_BYTES_MAX);
    return buffer.toString("latin1", 0, readFully(fd, buffer, 0));
  } catch (cause) {
    throw new FanfoldError("usage", `${what}: ${reasonOf(cause)}`, { cause });
  } finally {
    closeSync(fd);
  }
}

/** Where the identity of a directory, named by its canonical path, is kept. */
export function identityPath(stateDir: FilePath, canonicalFolder: Buffer): Buffer {
  return pathIn(stateDir, "sources", createHash("sha256").update(canonicalFolder).digest("hex"));
}

/** The identity of a directory's source, or undefined when it has none yet. @throws FanfoldError `folder-denied` */
export function findIdentity(stateDir: FilePath, canonicalFolder: Buffer, random: Random): Identity | undefined {
  return keeping(stateDir, () => {
    const path = identityPath(stateDir, canonicalFolder);
    const found = read(path);
    return found === undefined || !isFormer(found) ? found : takeOver(path, { former: found.former, random });
  });
}

/** Makes an identity that of a directory's source, in the place of the one it had. @throws FanfoldError `folder-denied` */
export function replaceIdentity(
  stateDir: FilePath,
  canonicalFolder: Buffer,
  { identity, random }: { readonly identity: Identity; readonly random: Random },
): void {
  keeping(stateDir, () => {
    const path = identityPath(stateDir, canonicalFolder);
    makeDirectories(pathIn(stateDir, "sources"), 0o700);
    renameSync(writeDraft(path, { identity, random }), path);
  });
}

/**
 * The identity by which a source is known as the same one coming back (D5). It belongs to one directory, named by its
 * canonical path, and is kept in the state directory: never in the tree that is copied.
 *
 * @throws FanfoldError `folder-denied` when the state directory cannot be used
 */
export function sourceIdentity(stateDir: FilePath, canonicalFolder: Buffer, random: Random): Identity {
  const known = findIdentity(stateDir, canonicalFolder, random);
  if (known !== undefined) return known;
  return keeping(stateDir, () => {
    const path = identityPath(stateDir, canonicalFolder);
    const identity = freshIdentity(random);
    makeDirectories(pathIn(stateDir, "sources"), 0o700);
    const draft = writeDraft(path, { identity, random });
    try {
      // A link, unlike a rename, does not replace what another process put there meanwhile: that one is then ours, too.
      linkSync(draft, path);
    } catch {
      // Something stands there, or the file system has no links. Only what is no identity is replaced.
      if (read(path) === undefined) renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
    return present(path) ?? identity;
  });
}

/**
 * Puts a key in the place of a secret of version 0.1, and keeps that beside it: sinks know the source by it. Of several
 * processes that do so at once, one decides: whoever links its draft to the name of the next identity.
 */
function takeOver(path: Buffer, { former, random }: { readonly former: string; readonly random: Random }): Identity {
  const identity = { ...freshIdentity(random), former };
  const draft = writeDraft(path, { identity, random });
  const next = Buffer.concat([path, Buffer.from(".next")]);
  try {
    linkSync(draft, next);
  } catch (cause) {
    // Another process was first, or the file system has no links.
    if (systemCode(cause) !== "EEXIST") renameSync(draft, next);
  } finally {
    rmSync(draft, { force: true });
  }
  const meanwhile = present(path);
  if (meanwhile !== undefined) {
    rmSync(next, { force: true });
    return meanwhile;
  }
  try {
    renameSync(next, path);
  } catch (cause) {
    if (systemCode(cause) !== "ENOENT") throw cause;
  }
  return present(path) ?? identity;
}

/** Written whole under another name, so that a kill leaves no half an identity. */
function writeDraft(
  path: Buffer,
  { identity, random }: { readonly identity: Identity; readonly random: Random },
): Buffer {
  const draft = Buffer.concat([path, Buffer.from(`.${random.hex(4)}`)]);
  writeFileSync(draft, formatIdentity(identity), { mode: 0o600, flag: "wx", flush: true });
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

/** What the file has, when it is an identity of today. */
function present(path: Buffer): Identity | undefined {
  const found = read(path);
  return found === undefined || isFormer(found) ? undefined : found;
}

function read(path: Buffer): ReturnType<typeof parseIdentity> {
  try {
    return parseIdentity(readFileSync(path, "latin1"));
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
