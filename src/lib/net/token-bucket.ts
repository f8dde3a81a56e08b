/** So many may pass at once, and then so many a second. */
interface BucketLimits {
  readonly burst: number;
  readonly perSecond: number;
}

/** How many may pass, as of a moment. */
export interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** The bucket after one asked to pass, and whether it may. Without a bucket nobody has asked before. */
export function askBucket(
  bucket: Bucket | undefined,
  { burst, perSecond }: BucketLimits,
  nowMs: number,
): { readonly bucket: Bucket; readonly passes: boolean } {
  const { left, atMs } = bucket ?? { left: burst, atMs: nowMs };
  const available = Math.min(burst, left + ((nowMs - atMs) * perSecond) / 1000);
  const passes = available >= 1;
  return { bucket: { left: passes ? available - 1 : available, atMs: nowMs }, passes };
}
