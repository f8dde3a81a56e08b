import type { SinkLine } from "../protocol/messages/sink-line.ts";

/** What people have to look at comes first, the worst at the head. */
const TROUBLE: readonly SinkLine["state"][] = ["failed", "incomplete", "away", "lagging", "detached"];

/** `vm-2` before `vm-10`, everywhere alike. */
const NAMES = new Intl.Collator("en", { numeric: true });

export function sortedNames(names: readonly string[]): string[] {
  return [...names].sort(compareNames);
}

/** Sinks in trouble first, then the others; each by name. The order in which they registered tells nobody anything. */
export function inOrder<T extends { readonly name: string }>(
  sinks: readonly T[],
  stateOf: (sink: T) => SinkLine["state"],
): T[] {
  const rank = (sink: T): number => {
    const place = TROUBLE.indexOf(stateOf(sink));
    return place < 0 ? TROUBLE.length : place;
  };
  return [...sinks].sort((one, other) => rank(one) - rank(other) || compareNames(one.name, other.name));
}

/**
 * As many sinks as there is room for, in that order. Where not all fit: those that failed or are away, then the slowest.
 */
export function mostTelling(sinks: readonly SinkLine[], room: number): SinkLine[] {
  const ordered = inOrder(sinks, ({ state }) => state);
  if (ordered.length <= room) return ordered;
  const rank = (sink: SinkLine): number =>
    sink.state === "failed" || sink.state === "away" ? -1 : sink.progress.bytesDone;
  const chosen = new Set([...ordered].sort((one, other) => rank(one) - rank(other)).slice(0, Math.max(0, room)));
  return ordered.filter((sink) => chosen.has(sink));
}

function compareNames(one: string, other: string): number {
  return NAMES.compare(one, other) || (one < other ? -1 : one > other ? 1 : 0);
}
