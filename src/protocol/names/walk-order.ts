import { splitPath } from "./relative-path.ts";

interface NamedEntry {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
}

/**
 * The order of two entries in a walk [P-4.3]. The entries of a directory stand together, before the entries of directories
 * below it.
 */
export function compareInWalk(left: NamedEntry, right: NamedEntry): number {
  return compareDirectories(left.directory, right.directory) || Buffer.compare(left.name, right.name);
}

/** The order of the entries of two directories, which is 0 for those of one. */
export function compareDirectories(left: Uint8Array, right: Uint8Array): number {
  if (Buffer.compare(left, right) === 0) return 0;
  const [a, b] = [splitPath(left), splitPath(right)];
  for (let depth = 0; ; depth += 1) {
    const [one, other] = [a[depth], b[depth]];
    if (one === undefined || other === undefined) return a.length - b.length;
    const order = Buffer.compare(one, other);
    if (order !== 0) return order;
  }
}
