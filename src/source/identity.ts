import { createHash } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { FanfoldError, reasonOf, systemCode } from "../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../lib/folder/file-path.ts";
import { makeDirectories } from "../lib/folder/make-directories.ts";
import type { Random } from "../lib/random.ts";

/**
 * The secret by which a source is known as the same one coming back (D5). It belongs to one directory, named by its
 * canonical path, and is kept in the state directory: never in the tree that is copied.
 *
 * @returns 64 hex digits
 * @throws FanfoldError `folder-denied` when the state directory cannot be used
 */
export function sourceSecret(stateDir: FilePath, canonicalFolder: Buffer, random: Random): string {
  const folder = pathIn(stateDir, "sources");
  const path = pathIn(folder, createHash("sha256").update(canonicalFolder).digest("hex"));
  try {
    const known = read(path);
    if (known !== undefined) return known;
    makeDirectories(folder, 0o700);
    const secret = random.hex(32);
    // Written whole under another name, so that a kill leaves no half a secret.
    const draft = Buffer.concat([path, Buffer.from(`.${random.hex(4)}`)]);
    writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: "wx", flush: true });
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
  } catch (cause) {
    throw new FanfoldError(
      "folder-denied",
      `Keep the source's identity in "${shownPath(folder)}": ${reasonOf(cause)}; name another folder with --state-dir`,
      { cause },
    );
  }
}

function read(path: Buffer): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}
