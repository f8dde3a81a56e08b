import type { AppliedLimit } from "../protocol/bandwidth/applied-limit.ts";

const UNITS = [
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
] as const;

/** `20M`, `1.5M`, `500K`: as `--bwlimit` takes it. */
export function rateWord(bytesPerSecond: number): string {
  const [unit, unitBytes] = UNITS.find(([, least]) => bytesPerSecond >= least) ?? ["K", 1024];
  return `${Number((bytesPerSecond / unitBytes).toFixed(1))}${unit}`;
}

/** `max 20M/s`; undefined where nothing is limited. */
export function limitWord(limit: AppliedLimit | undefined): string | undefined {
  return typeof limit?.bytesPerSecond === "number" ? `max ${rateWord(limit.bytesPerSecond)}/s` : undefined;
}

/** `20M (timetable)`, `off (order)`, `not limited` */
export function limitText(limit: AppliedLimit | undefined): string {
  if (limit === undefined) return "not limited";
  const { bytesPerSecond, from } = limit;
  return `${bytesPerSecond === null ? "off" : rateWord(bytesPerSecond)} (${from})`;
}
