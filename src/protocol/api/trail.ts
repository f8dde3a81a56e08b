import type { CopyProgress } from "../messages/progress.ts";

/** How fast a source sends, from the start of its copy on, in a bounded number of points. Coordinator and page keep one. */
export interface Trail {
  /** In the order of time. The first one begins with the copy. */
  readonly points: readonly RatePoint[];
  /** How far apart they are at least. It doubles when there are too many, so that the whole copy stays in sight. */
  readonly everyMs: number;
  /** What was sent until the end of the last point. */
  readonly sentBytes: number;
}

/** A part of a copy: from the end of the point before it, until so many milliseconds after the copy began. */
export interface RatePoint {
  readonly untilMs: number;
  readonly bytesPerSecond: number;
}

/** As many as a chart of a screen's width can show. An even number, so that each has a neighbour. */
export const TRAIL_POINTS_MAX = 240;
const FIRST_EVERY_MS = 1000;

export const EMPTY_TRAIL: Trail = { points: [], everyMs: FIRST_EVERY_MS, sentBytes: 0 };

/** What a source has published by now: once, again, and to those who are behind. */
export function sentBytes({ bytesSent, bytesSentAgain, bytesCaughtUp }: CopyProgress): number {
  return bytesSent + bytesSentAgain + bytesCaughtUp;
}

/** The trail after its source told how far it is. What nobody saw before that becomes one point. */
export function extendTrail(trail: Trail, progress: CopyProgress): Trail {
  const { points, everyMs } = trail;
  // A source may claim more than there is, and each number that is kept has to be one that everybody reads.
  const untilMs = whole(progress.elapsedMs);
  const coveredMs = untilMs - endOf(points);
  if (coveredMs < everyMs) return trail;
  const amount = Math.max(trail.sentBytes, sentBytes(progress));
  const bytesPerSecond = whole(Math.round(((amount - trail.sentBytes) * 1000) / coveredMs));
  const all = [...points, { untilMs, bytesPerSecond }];
  const isFull = all.length === TRAIL_POINTS_MAX;
  return { points: isFull ? halved(all) : all, everyMs: isFull ? everyMs * 2 : everyMs, sentBytes: amount };
}

/** The trail that somebody else kept until now. */
export function trailOf(points: readonly RatePoint[]): Trail {
  const lengths = points.map((_, index) => coveredMs(points, index));
  const everyMs = Math.max(FIRST_EVERY_MS, Math.min(...lengths, Number.MAX_SAFE_INTEGER));
  return { points, everyMs: points.length === 0 ? FIRST_EVERY_MS : everyMs, sentBytes: movedBytes(points) };
}

/** What moved in all of them. */
export function movedBytes(points: readonly RatePoint[]): number {
  return points.reduce((sum, { bytesPerSecond }, at) => sum + (bytesPerSecond * coveredMs(points, at)) / 1000, 0);
}

/** Two neighbours become one, which moves as much in as long. */
function halved(points: readonly RatePoint[]): RatePoint[] {
  const merged: RatePoint[] = [];
  for (let index = 0; index < points.length; index += 2) {
    const untilMs = points[index + 1]?.untilMs ?? 0;
    merged.push({ untilMs, bytesPerSecond: together(points, index) });
  }
  return merged;
}

function together(points: readonly RatePoint[], index: number): number {
  const [first, second] = [coveredMs(points, index), coveredMs(points, index + 1)];
  const [one = 0, two = 0] = points.slice(index, index + 2).map(({ bytesPerSecond }) => bytesPerSecond);
  return Math.round((one * first + two * second) / (first + second));
}

function coveredMs(points: readonly RatePoint[], index: number): number {
  return (points[index]?.untilMs ?? 0) - (points[index - 1]?.untilMs ?? 0);
}

function whole(amount: number): number {
  return Math.min(Math.floor(amount), Number.MAX_SAFE_INTEGER);
}

function endOf(points: readonly RatePoint[]): number {
  return points.at(-1)?.untilMs ?? 0;
}
