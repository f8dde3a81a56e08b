import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX } from "../limits.ts";

/**
 * The one place where paths of a peer are judged [P-4.1]: bytes, no encoding. A relative path is the components
 * joined by `/`; the root is the empty path.
 */
const SLASH = 0x2f;
const DOT = 0x2e;
/** Our own folder in the root of a source or sink: never carried. */
export const OWN_FOLDER = ".fanfold";
const OWN_FOLDER_BYTES = Buffer.from(OWN_FOLDER);

/** @throws FanfoldError `damaged` unless `name` can be one component of a path */
function checkName(name: Uint8Array): void {
  const reason = nameFault(name);
  if (reason !== undefined) throw new FanfoldError("damaged", `cannot take the name "${escapeName(name)}": ${reason}`);
}

/** @throws FanfoldError `damaged` unless `path` is a relative path below the root, or the root itself */
export function checkPath(path: Uint8Array): void {
  if (path.length === 0) return;
  if (path.length > PATH_BYTES_MAX)
    throw new FanfoldError("damaged", `cannot take a path: ${path.length} bytes, expected at most ${PATH_BYTES_MAX}`);
  const names = splitPath(path);
  if (names.length > PATH_DEPTH_MAX)
    throw new FanfoldError(
      "damaged",
      `cannot take a path: ${names.length} components, expected at most ${PATH_DEPTH_MAX}`,
    );
  for (const name of names) checkName(name);
  if (isOwnFolder(names[0] ?? path))
    throw new FanfoldError("damaged", `cannot take the path "${escapeName(path)}": "${OWN_FOLDER}" is reserved`);
}

export function isOwnFolder(name: Uint8Array): boolean {
  return OWN_FOLDER_BYTES.equals(name);
}

export function joinPath(directory: Uint8Array, name: Uint8Array): Buffer {
  if (directory.length === 0) return Buffer.from(name);
  const path = Buffer.allocUnsafe(directory.length + 1 + name.length);
  path.set(directory, 0);
  path[directory.length] = SLASH;
  path.set(name, directory.length + 1);
  return path;
}

/** The directory that a path is in; the root's own for the root. */
export function parentOf(path: Uint8Array): Uint8Array {
  return path.subarray(0, Math.max(0, path.lastIndexOf(SLASH)));
}

/** Its last component; empty for the root. */
export function nameOf(path: Uint8Array): Uint8Array {
  return path.subarray(path.lastIndexOf(SLASH) + 1);
}

/** The components of a path; none for the root. */
export function splitPath(path: Uint8Array): Uint8Array[] {
  if (path.length === 0) return [];
  const names: Uint8Array[] = [];
  let start = 0;
  for (;;) {
    const slash = path.indexOf(SLASH, start);
    if (slash === -1) break;
    names.push(path.subarray(start, slash));
    start = slash + 1;
  }
  names.push(path.subarray(start));
  return names;
}

/** Why `bytes` from `start` to `end` cannot be one component of a path. */
export function nameFault(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  const length = end - start;
  if (length === 0) return "it is empty";
  if (length > NAME_BYTES_MAX) return `it has ${length} bytes, expected at most ${NAME_BYTES_MAX}`;
  let hasNul = false;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === SLASH) return "it holds a slash";
    hasNul ||= byte === 0;
  }
  if (hasNul) return "it holds a NUL byte";
  if (bytes[start] === DOT && (length === 1 || (length === 2 && bytes[start + 1] === DOT)))
    return "it leads to another directory";
  return undefined;
}
