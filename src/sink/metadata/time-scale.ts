import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { fileTime, storedAs } from "./file-time.ts";

/** What a file system makes of times; all in nanoseconds since 1970. */
export interface TimeScale {
  /** Times are rounded down to multiples of it. */
  readonly unit: bigint;
  /** Earlier times become the first one, later ones the last one. Undefined: no limit was found. */
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
}

/** Until it is asked: a file system that keeps all that it is given. */
export const EXACT_SCALE: TimeScale = { unit: 1n, first: undefined, last: undefined };

const SECOND = 1_000_000_000n;
const MICROSECOND = 1000n;
/** Units of file systems: ext4, btrfs, XFS, tmpfs; NTFS, SMB; UDF; some FUSE; exFAT; ext3, HFS+; FAT. */
const UNITS = [1n, 100n, MICROSECOND, 1_000_000n, 10_000_000n, SECOND, 2n * SECOND];

/** The unit that makes `found` of `asked`; undefined when none that we know does. `asked` should be an odd second with nine digits. */
export function unitBetween(asked: bigint, found: bigint): bigint | undefined {
  return UNITS.find((unit) => floor(asked, unit) === found);
}

export function nanosecondsOf({ seconds, nanoseconds }: Timestamp): bigint {
  return BigInt(seconds) * SECOND + BigInt(nanoseconds);
}

/** What a file shows that was given the time. */
export function stored(scale: TimeScale, asked: bigint): bigint {
  const second = floor(asked, SECOND);
  if (scale.first !== undefined && second <= scale.first) return scale.first;
  if (scale.last !== undefined && second >= scale.last) return scale.last;
  return floor(asked, scale.unit);
}

/** Whether a file shows exactly the time that it is given. */
export function keepsTime(scale: TimeScale, asked: Timestamp): boolean {
  if (scale.unit === 1n && scale.first === undefined && scale.last === undefined) return true;
  const askedNs = nanosecondsOf(asked);
  return stored(scale, askedNs) === askedNs;
}

/**
 * Whether a file that shows `found` was given the time, by native calls or without them: to the microsecond. Node itself
 * sets the nearest double (file-time.ts), and what one session set, the next one must know again, whatever calls it has.
 */
export function isSameTime(scale: TimeScale, found: bigint, asked: Timestamp): boolean {
  const shown = floor(found, MICROSECOND);
  return (
    shown === floor(stored(scale, nanosecondsOf(asked)), MICROSECOND) ||
    shown === floor(stored(scale, nanosecondsOf(storedAs(Number(fileTime(asked))))), MICROSECOND)
  );
}

/** How much of the time a file that shows `found` has lost. */
export function timeLoss(found: bigint, asked: Timestamp): "none" | "fraction" | "time" {
  const wanted = nanosecondsOf(asked);
  if (found === wanted) return "none";
  return floor(found, MICROSECOND) === floor(wanted, MICROSECOND) ? "fraction" : "time";
}

function floor(value: bigint, unit: bigint): bigint {
  const rest = value % unit;
  return rest < 0n ? value - rest - unit : value - rest;
}
