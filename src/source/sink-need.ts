import { FanfoldError } from "../lib/errors.ts";
import { SINKS_PER_SESSION_MAX } from "../protocol/limits.ts";

/** How many sinks a source waits for, as it is asked for. */
export interface SinkNeedOptions {
  /** Registered sinks with which it starts: so many, or a range with `waitMs`. @default 1, or all of `expect` */
  readonly destCount?: number | SinkRange;
  /** Names of sinks. Only these count then, and who of them is missing is named. */
  readonly expect?: readonly string[];
  /** After this time the least of the range is enough, in milliseconds. */
  readonly waitMs?: number;
  /** Longest wait for the least, in milliseconds. @default waitMs, or no limit */
  readonly waitTimeoutMs?: number;
}

interface SinkRange {
  readonly min: number;
  readonly max: number;
}

/** How many sinks a source waits for, and how long. */
export interface SinkNeed {
  /** It starts at once with so many. */
  readonly most: number;
  /** It starts with so many once `waitMs` are over. */
  readonly least: number;
  readonly expected: readonly string[];
  readonly waitMs: number;
  /** It gives up after this time. */
  readonly giveUpMs: number;
}

/** @throws FanfoldError `usage` */
export function resolveSinkNeed(options: SinkNeedOptions): SinkNeed {
  const { expect: expected = [], waitMs = Number.POSITIVE_INFINITY, waitTimeoutMs } = options;
  const { destCount = Math.max(1, expected.length) } = options;
  const { min: least, max: most } = typeof destCount === "number" ? { min: destCount, max: destCount } : destCount;
  const giveUpMs = waitTimeoutMs ?? waitMs;
  const need: SinkNeed = { most, least, expected, waitMs, giveUpMs };
  const fault = countFault(need) ?? namesFault(need) ?? timeFault(need);
  if (fault !== undefined) throw new FanfoldError("usage", fault);
  return need;
}

function countFault({ least, most }: SinkNeed): string | undefined {
  const isCount = (count: number) => Number.isInteger(count) && count >= 1 && count <= SINKS_PER_SESSION_MAX;
  if (isCount(least) && isCount(most) && least <= most) return undefined;
  return `cannot read --dest-count "${least}..${most}": want whole numbers from 1 to ${SINKS_PER_SESSION_MAX}, the lower one first`;
}

function namesFault({ expected, most }: SinkNeed): string | undefined {
  const twice = expected.find((name, index) => expected.indexOf(name) !== index);
  if (twice !== undefined) return `cannot read --expect: it names the sink "${twice}" twice; name each sink once`;
  if (expected.length === 0 || most <= expected.length) return undefined;
  return `cannot read --dest-count: it asks for ${most} sinks, but --expect names only ${expected.length}; name more sinks or ask for fewer`;
}

function timeFault({ least, most, waitMs, giveUpMs }: SinkNeed): string | undefined {
  if (least < most && waitMs === Number.POSITIVE_INFINITY)
    return `cannot read --dest-count "${least}..${most}": found no --wait; add --wait to say how long to wait for all ${most} sinks`;
  if (waitMs !== Number.POSITIVE_INFINITY && giveUpMs < waitMs)
    return `cannot read --wait-timeout: found ${giveUpMs / 1000} s, want at least the ${waitMs / 1000} s of --wait`;
  return undefined;
}

/** How many are needed when the wait has lasted so long. */
export function neededAfter({ least, most, waitMs }: SinkNeed, waitedMs: number): number {
  return waitedMs >= waitMs ? least : most;
}
