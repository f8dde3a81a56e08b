import type { Keeps, Timestamp } from "../protocol/page.ts";

/** What an entry shall be; undefined: whatever it is. */
export interface KeptAttributes {
  readonly mode: number | undefined;
  readonly mtime: Timestamp | undefined;
}

/** Of what the source says of an entry, that which is carried. */
export function keptOf(
  keeps: Keeps,
  { mode, mtime }: { readonly mode: number; readonly mtime: Timestamp },
): KeptAttributes {
  return { mode: keeps.perms ? mode : undefined, mtime: keeps.times ? mtime : undefined };
}

/**
 * The mode of an entry that is made anew. When modes are not carried, it is that of what stood in its place, or the source's
 * as far as this process lets others in.
 */
export function modeOfNew(keeps: Keeps, mode: number, before: number | undefined): number {
  return keeps.perms ? mode : (before ?? mode & ~process.umask());
}
