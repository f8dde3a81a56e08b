import { DEVICE_NUMBER_MAX, LINK_TARGET_BYTES_MAX, PATH_BYTES_MAX } from "../limits.ts";
import { isOwnFolder, nameFault } from "../names/relative-path.ts";

/*
 * Why no page may hold a value, as a clause; undefined when it may. Both ends ask: a source before it puts an entry into a page,
 * a sink when it reads one. So a source never sends what its sinks refuse.
 */

/** Of an entry below the root, in a directory that was looked at when it was an entry itself. */
export function placeFault({
  directory,
  name,
}: {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}): string | undefined {
  return placedFault(name, { nameStart: 0, nameEnd: name.length, directoryBytes: directory.length });
}

/** Where in some bytes a name lies, and how long the path of its directory is. */
interface PlacedName {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly directoryBytes: number;
}

/** The same of a name in the middle of other bytes. */
export function placedFault(bytes: Uint8Array, { nameStart, nameEnd, directoryBytes }: PlacedName): string | undefined {
  const fault = nameFault(bytes, nameStart, nameEnd);
  if (fault !== undefined) return `holds a name that cannot be one: ${fault}`;
  if (directoryBytes === 0 && isOwnFolder(bytes.subarray(nameStart, nameEnd))) return "names fanfold's own folder";
  return directoryBytes + 1 + nameEnd - nameStart > PATH_BYTES_MAX ? "holds a path that is too long" : undefined;
}

export function modeFault(mode: number): string | undefined {
  return mode > 0o7777 ? `holds the mode ${mode.toString(8)}` : undefined;
}

/** Of a symbolic link. */
export function targetFault(target: Uint8Array): string | undefined {
  if (target.length > LINK_TARGET_BYTES_MAX) return `holds a link target of ${target.length} bytes`;
  return target.length === 0 || target.includes(0) ? "holds a link target that is empty or has a NUL byte" : undefined;
}

export function deviceFault({ major, minor }: { readonly major: number; readonly minor: number }): string | undefined {
  if (major <= DEVICE_NUMBER_MAX && minor <= DEVICE_NUMBER_MAX) return undefined;
  return `holds a device with the numbers ${major} and ${minor}`;
}
