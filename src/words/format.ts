const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** `3.4 GiB`: one decimal, in units of 1024. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = "B";
  for (const next of UNITS) {
    // 1023.95 would be shown as 1024.0, so the next unit starts a little early.
    if (value < 1023.95) break;
    value /= 1024;
    unit = next;
  }
  return `${value.toFixed(1)} ${unit}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `12,345`, whatever the locale: the same text everywhere can be searched for. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 file`, `12,345 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A time for live lines, which keeps its width: `0:42`, `12:03`, `1:02:03`, `2 d 03:00:00`. */
export function formatClock(ms: number): string {
  const totalSeconds = Math.max(0, Math.round(ms / 1000));
  const seconds = totalSeconds % 60;
  const minutes = Math.floor(totalSeconds / 60) % 60;
  const hours = Math.floor(totalSeconds / 3600) % 24;
  const days = Math.floor(totalSeconds / 86_400);
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}:${two(seconds)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** A time for summaries: `0.8 s`, `42.1 s`, `4 min 05 s`, `1 h 02 min`, `2 d 3 h`. */
export function formatElapsed(ms: number): string {
  if (ms < 59_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const totalSeconds = Math.round(ms / 1000);
  if (totalSeconds < 3600) return `${Math.floor(totalSeconds / 60)} min ${two(totalSeconds % 60)} s`;
  const totalMinutes = Math.round(ms / 60_000);
  if (totalMinutes < 24 * 60) return `${Math.floor(totalMinutes / 60)} h ${two(totalMinutes % 60)} min`;
  const totalHours = Math.round(ms / 3_600_000);
  return `${Math.floor(totalHours / 24)} d ${totalHours % 24} h`;
}

/** Whole percent, rounded down, so that 100 is shown only when nothing is missing. */
export function formatPercent(fraction: number): string {
  return `${String(Math.floor(clampFraction(fraction) * 100)).padStart(3)}%`;
}

/** Into 0 to 1; what is no number counts as 0. */
export function clampFraction(fraction: number): number {
  return Number.isNaN(fraction) ? 0 : Math.min(1, Math.max(0, fraction));
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
