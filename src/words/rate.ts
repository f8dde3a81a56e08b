/**
 * Smooths a rate. Each sample counts for as much as the time it covers. Samples older than a few time constants hardly
 * count. While a meter is young it gives the plain average, so that its first values are not near 0.
 *
 *   weight = 1 - exp(-age of the sample / time constant)
 *   rate   = rate + (rate of the sample - rate) * weight
 */
export interface RateMeter {
  readonly startedAtMs: number;
  readonly startedAt: number;
  readonly atMs: number;
  readonly amount: number;
  readonly perSecond: number;
}

/** How far back the shown rate looks: long enough to be read, short enough to show a change. */
const TIME_CONSTANT_MS = 5000;
/** Samples closer together are joined: a rate over a few milliseconds means nothing. */
const SAMPLE_MIN_MS = 200;

export function startMeter(amount: number, atMs: number): RateMeter {
  return { startedAtMs: atMs, startedAt: amount, atMs, amount, perSecond: 0 };
}

/** The meter after `amount` (a total that never decreases) was seen at `atMs`. */
export function measure(meter: RateMeter, amount: number, atMs: number): RateMeter {
  const coveredMs = atMs - meter.atMs;
  if (coveredMs < SAMPLE_MIN_MS) return meter;
  const sample = (Math.max(0, amount - meter.amount) * 1000) / coveredMs;
  const ageMs = atMs - meter.startedAtMs;
  const average = (Math.max(0, amount - meter.startedAt) * 1000) / ageMs;
  const weight = 1 - Math.exp(-coveredMs / TIME_CONSTANT_MS);
  const perSecond = ageMs <= TIME_CONSTANT_MS ? average : meter.perSecond + (sample - meter.perSecond) * weight;
  return { ...meter, atMs, amount: Math.max(amount, meter.amount), perSecond };
}

/** A longer estimate is no better than none. */
const TIME_LEFT_MAX_MS = 99 * 86_400_000;

/** Milliseconds until `remaining` is done at this rate; undefined when nobody can tell. */
export function timeLeftMs(meter: RateMeter, remaining: number): number | undefined {
  if (remaining <= 0) return 0;
  if (meter.atMs === meter.startedAtMs || meter.perSecond <= 0) return undefined;
  const leftMs = (remaining / meter.perSecond) * 1000;
  return leftMs > TIME_LEFT_MAX_MS ? undefined : leftMs;
}
