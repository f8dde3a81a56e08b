import { lstatSync, readlinkSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
import { systemCode } from "../lib/errors.ts";

/*
 * How something new takes the place of what stood under a name: part of the door to the disk (D11), used by the Root alone.
 */

/** Runs a rename onto `to`; when an empty directory is in the way it goes, a directory that holds something is an error. */
export function replace(to: Buffer, rename: () => void): void {
  try {
    rename();
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY") throw thrown;
    rmdirSync(to);
    rename();
  }
}

export function hasTarget(path: Buffer, target: Uint8Array): boolean {
  try {
    return readlinkSync(path, { encoding: "buffer" }).equals(target);
  } catch {
    return false;
  }
}

/** A link cannot be renamed to another mount: there it is made in place, which for a link is as whole. */
export function renameAcross(draft: Buffer, to: Buffer, target: Uint8Array): void {
  try {
    renameSync(draft, to);
  } catch (thrown) {
    if (systemCode(thrown) !== "EXDEV") throw thrown;
    const there = lstatSync(to, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) throw Object.assign(new Error("a directory is in the way"), { code: "EISDIR" });
    if (there !== undefined) unlinkSync(to);
    symlinkSync(Buffer.from(target), to);
  }
}
