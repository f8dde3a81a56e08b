import { mkdirSync, statSync } from "node:fs";
import { systemCode } from "../errors.ts";

const SLASH = 0x2f;

/**
 * Makes a directory and those above it that are missing, one after another. The function of Node.js never ends where the
 * system says that an existing directory is missing: in `/proc`, and at a dangling link. Throws system errors.
 */
export function makeDirectories(path: Buffer, mode = 0o777): void {
  for (let end = path.indexOf(SLASH, 1); end !== -1; end = path.indexOf(SLASH, end + 1))
    makeOne(path.subarray(0, end), mode);
  makeOne(path, mode);
}

function makeOne(path: Buffer, mode: number): void {
  if (isDirectory(path)) return;
  try {
    mkdirSync(path, { mode });
  } catch (thrown) {
    // Somebody else may have made it meanwhile.
    if (systemCode(thrown) !== "EEXIST" || !isDirectory(path)) throw asFound(thrown, path);
  }
}

function isDirectory(path: Buffer): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory()) return stats !== undefined;
  throw Object.assign(new Error("it is not a directory"), { code: "ENOTDIR", syscall: "mkdir" });
}

/** That something stands there which is not there to be seen is a link to nowhere. */
function asFound(thrown: unknown, path: Buffer): unknown {
  if (systemCode(thrown) === "EEXIST")
    return Object.assign(new Error("a symbolic link that leads nowhere is there"), {
      code: "EEXIST",
      syscall: "mkdir",
    });
  if (systemCode(thrown) === "ENOENT" && isDirectory(path.subarray(0, Math.max(1, path.lastIndexOf(SLASH)))))
    return Object.assign(new Error("no directory can be made there"), { code: "ENOENT", syscall: "mkdir" });
  return thrown;
}
