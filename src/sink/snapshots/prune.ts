import type { Clock } from "../../lib/clock.ts";
import type { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { applyRetention, type RetentionRules } from "../retention/retention.ts";
import { latestName, readCatalogue, type Snapshot } from "./catalogue.ts";
import { doomSnapshot, removeDoomed, spaceAt } from "./doomed.ts";

/** What shall be free on the file system of the folder. */
export type MinFree = { readonly kind: "percent" | "bytes"; readonly value: number };

interface PruneOptions {
  /** Undefined: they take nothing. */
  readonly rules: RetentionRules | undefined;
  readonly minFree?: MinFree | undefined;
  readonly dryRun?: boolean;
  /** @default that of this process */
  readonly zone?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type PruneStep =
  /** By these rules it stays. */
  | { readonly type: "kept"; readonly name: string; readonly reasons: readonly string[] }
  /** It is none any more, or would be none but for `dryRun`; its space becomes free from now on. */
  | { readonly type: "removed"; readonly name: string; readonly why: "rules" | "min-free" }
  /** Less is free than is wanted, and there is nothing left that may go. */
  | { readonly type: "too-little"; readonly freeBytes: number; readonly wantedBytes: number };

/**
 * Removes the snapshots that no rule keeps; then, while too little is free, the oldest one of those that are left. The newest one
 * stays, whatever is said, and so does the one that `latest` leads to. It may be ended at any time.
 *
 * @throws FanfoldError `usage` for rules that keep nothing; system errors
 */
export async function* pruneSnapshots(
  directories: Directories,
  options: PruneOptions,
): AsyncGenerator<PruneStep, void, undefined> {
  const { dryRun = false, minFree } = options;
  const plan = planOf(directories, options);
  if (!dryRun) await removeDoomed(directories, options);
  for (const { name, reasons } of plan) {
    if (reasons.length > 0) {
      yield { type: "kept", name, reasons };
      continue;
    }
    if (!dryRun) doomSnapshot(directories, name);
    yield { type: "removed", name, why: "rules" };
    if (!dryRun) await removeDoomed(directories, options);
  }
  if (minFree === undefined || dryRun) return;
  const mayGo = plan.filter(({ reasons, isPinned }) => reasons.length > 0 && !isPinned).map(({ name }) => name);
  yield* makeRoom(directories, mayGo, { ...options, minFree });
}

interface Planned {
  readonly name: string;
  /** Why it stays; none: it is to go. */
  readonly reasons: readonly string[];
  /** It stays, however little is free. */
  readonly isPinned: boolean;
}

/** What is to become of each snapshot by the rules, the oldest first. */
function planOf(directories: Directories, { rules, zone }: PruneOptions): readonly Planned[] {
  const snapshots = readCatalogue(directories);
  const pinned = pinnedNames(directories, snapshots);
  const times = snapshots.map(({ timeMs }) => timeMs);
  const verdicts = rules === undefined ? undefined : applyRetention(times, rules, zone);
  return snapshots.map(({ name }, index) => ({
    name,
    reasons: [...(verdicts?.[index] ?? ["no rule"]), ...(pinned.get(name) ?? [])],
    isPinned: pinned.has(name) || index === snapshots.length - 1,
  }));
}

/** `names`: those that may go, the oldest first. */
async function* makeRoom(
  directories: Directories,
  names: readonly string[],
  { minFree, clock, signal }: PruneOptions & { readonly minFree: MinFree },
): AsyncGenerator<PruneStep, void, undefined> {
  const left = [...names];
  for (;;) {
    const space = spaceAt(directories);
    if (space === undefined) return;
    const { freeBytes, sizeBytes } = space;
    const wantedBytes = minFree.kind === "bytes" ? minFree.value : Math.ceil((sizeBytes * minFree.value) / 100);
    if (freeBytes >= wantedBytes) return;
    const name = left.shift();
    if (name === undefined) {
      yield { type: "too-little", freeBytes, wantedBytes };
      return;
    }
    doomSnapshot(directories, name);
    yield { type: "removed", name, why: "min-free" };
    await removeDoomed(directories, { clock, signal });
  }
}

/** Those that no rule may take, with the reason. */
function pinnedNames(directories: Directories, snapshots: readonly Snapshot[]): ReadonlyMap<string, readonly string[]> {
  const pinned = new Map<string, string[]>();
  const pin = (name: string | undefined, reason: string): void => {
    if (name !== undefined) pinned.set(name, [...(pinned.get(name) ?? []), reason]);
  };
  const newest = snapshots.at(-1)?.name;
  const latest = latestName(directories);
  const proven = snapshots.findLast(({ facts }) => !(facts instanceof FanfoldError))?.name;
  if (latest !== newest) pin(latest, "latest");
  if (proven !== newest) pin(proven, "newest proven");
  return pinned;
}
