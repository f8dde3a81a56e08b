import { SeededRandom } from "../helpers/seeded-random.ts";

export const TRANSPORTS = ["embedded", "nats", "amqp"] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** `broker` is nats-server or RabbitMQ; a sink is named by its place, from 0. */
export type Victim = "source" | "coordinator" | "broker" | `sink ${number}`;

export const KINDS = ["copy", "snapshots", "commit", "retention", "deltas"] as const;
export type ScenarioKind = (typeof KINDS)[number];

/** One blow: these die by SIGKILL at the same moment, and each is started again with the command it had. */
export interface Blow {
  /**
   * `freeze`: stopped (SIGSTOP) instead, and then told to go on. `prune`: another process prunes their folders, and is killed.
   *
   * @default "kill"
   */
  readonly how?: "kill" | "freeze" | "prune";
  readonly victims: readonly Victim[];
  /**
   * When it falls: `registered`: somebody is registered and the copy has not begun; a number: this share of the tree's
   * bytes is done at the slowest sink; `verifying`: everything is sent, and proofs are under way; `proven`: a sink has
   * made its snapshot; `pruning`: a sink removes one.
   */
  readonly at: "registered" | "verifying" | "proven" | "pruning" | number;
  /** Waited after that moment, so that blows fall between the events, too. */
  readonly delayMs: number;
  /** For how long the victims stay dead, or stand still. */
  readonly downMs: number;
}

export interface TreePlan {
  readonly seed: number;
  readonly largeFiles: number;
  readonly largeMib: number;
  readonly mediumFiles: number;
  readonly smallFiles: number;
}

/** What sinks with --snapshots do. */
export interface KeepPlan {
  /** Of each later copy, into the same folders; the tree changes before it. */
  readonly laterBlows: readonly (readonly Blow[])[];
  /** For --commit. @default each sink switches by itself */
  readonly commit?: "all" | number;
  /** For --keep-last. @default all of them stay */
  readonly keepLast?: number;
}

/** Copies into the same folders, before each of which all large files change. */
export interface DeltaPlan {
  /** Of each later copy. With `keep` they are the same. */
  readonly laterBlows: readonly (readonly Blow[])[];
}

export interface Scenario {
  readonly seed: number;
  readonly transport: TransportName;
  /** Over TLS, and with tokens. */
  readonly isGuarded: boolean;
  readonly sinks: number;
  /** Sinks that are started when this share is done; they are not counted in --dest-count. */
  readonly late: { readonly sinks: number; readonly share: number };
  readonly tree: TreePlan;
  /** The source's --bwlimit in MiB a second: leaves time for a blow in the middle. */
  readonly mibPerSecond: number;
  readonly blows: readonly Blow[];
  /** @default the sinks are plain mirrors */
  readonly keep?: KeepPlan;
  /** @default one copy, or what `keep` says */
  readonly deltas?: DeltaPlan;
  /** For each copy. */
  readonly deadlineMs: number;
}

/** RabbitMQ takes about ten seconds to start again. */
const DEADLINE_MS = { embedded: 90_000, nats: 90_000, amqp: 180_000 } as const;
const LONGEST_DOWN_MS = 1_500;
/** Of all scenarios, how many freeze a sink; for longer than silence is borne. */
const FREEZE_SHARE = 0.03;
const FREEZE_MS = 60_000;

/** Apart from the other choices of a seed. */
const KIND_SEED = 7_919;
const COPIES_MAX = 4;
/** How long a prune may take before it is killed. */
const PRUNE_MS_MAX = 600;

/** Everything about a run but its moments to the microsecond follows from the seed, and the transports and kinds to choose from. */
export function planScenario(
  seed: number,
  transports: readonly TransportName[] = TRANSPORTS,
  kinds: readonly ScenarioKind[] = KINDS,
): Scenario {
  const planned = planCopy(seed, transports);
  const random = new SeededRandom(seed + KIND_SEED);
  const kind = random.pick(kinds);
  if (kind === "deltas") return planDeltas(random, planned);
  return kind === "copy" ? planned : planKept(random, kind, planned);
}

function planCopy(seed: number, transports: readonly TransportName[]): Scenario {
  const random = new SeededRandom(seed);
  const transport = random.pick(transports);
  const sinks = random.between(1, 4);
  const tree = {
    seed,
    largeFiles: random.between(1, 4),
    largeMib: random.between(4, 40),
    mediumFiles: random.between(0, 60),
    smallFiles: random.between(20, 1500),
  };
  const late = { sinks: random.chance(0.15) ? 1 : 0, share: random.next() * 0.8 };
  return {
    seed,
    transport,
    isGuarded: seed % 2 === 0,
    sinks,
    late,
    tree,
    mibPerSecond: random.pick([25, 50, 100]),
    ...planTrouble(random, transport, victimsOf(transport, sinks)),
  };
}

function victimsOf(transport: TransportName, sinks: number): Victim[] {
  const victims: Victim[] = ["source", "coordinator", ...(transport === "embedded" ? [] : (["broker"] as const))];
  for (let index = 0; index < sinks; index += 1) victims.push(`sink ${index}`);
  return victims;
}

/** Several copies of a smaller tree, into sinks that keep snapshots. */
function planKept(random: SeededRandom, kind: Exclude<ScenarioKind, "copy" | "deltas">, planned: Scenario): Scenario {
  const { seed, transport, late } = planned;
  const sinks = random.between(1, 3);
  const commit = random.chance(0.5) ? "all" : random.between(1, sinks);
  const copies = Array.from({ length: random.between(2, COPIES_MAX) }, (_, copy) => {
    const blows = planBlows(random, victimsOf(transport, sinks)).map((blow) => keptBlow(random, kind, blow));
    // There is nothing to prune in the first one.
    return kind === "retention" && copy > 0 ? [planPrune(random, sinks), ...blows] : blows;
  });
  const [blows = [], ...laterBlows] = copies;
  return {
    ...planned,
    sinks,
    // Who comes late is on a lane of its own, and no part of what is decided.
    late: kind === "commit" ? { sinks: 0, share: 0 } : late,
    tree: {
      seed,
      largeFiles: random.between(1, 2),
      largeMib: random.between(1, 8),
      mediumFiles: random.between(0, 10),
      smallFiles: random.between(20, 400),
    },
    blows,
    keep: {
      laterBlows,
      ...(kind === "commit" ? { commit } : {}),
      ...(kind === "retention" ? { keepLast: random.between(1, 2) } : {}),
    },
    deadlineMs: DEADLINE_MS[transport],
  };
}

/** Several copies of large files that change, into plain folders or ones with snapshots. */
function planDeltas(random: SeededRandom, planned: Scenario): Scenario {
  const { seed, transport } = planned;
  const sinks = random.between(1, 3);
  const copies = random.between(2, COPIES_MAX);
  const [blows = [], ...laterBlows] = Array.from({ length: copies }, () =>
    planBlows(random, victimsOf(transport, sinks)),
  );
  return {
    ...planned,
    sinks,
    tree: {
      seed,
      largeFiles: random.between(1, 4),
      largeMib: random.between(2, 12),
      mediumFiles: random.between(0, 5),
      smallFiles: random.between(0, 60),
    },
    // What of them is sent is little: so blows fall in the middle of it.
    mibPerSecond: random.pick([3, 6, 12]),
    blows,
    deltas: { laterBlows },
    ...(random.chance(0.4) ? { keep: { laterBlows } } : {}),
    deadlineMs: DEADLINE_MS[transport],
  };
}

interface LaterCopies {
  readonly keep?: KeepPlan | undefined;
  readonly deltas?: DeltaPlan | undefined;
}

/** The blows of all copies but the first. */
export function laterCopies({ keep, deltas }: LaterCopies): readonly (readonly Blow[])[] {
  return keep?.laterBlows ?? deltas?.laterBlows ?? [];
}

/** Many of them fall where snapshots are made and removed. */
function keptBlow(random: SeededRandom, kind: ScenarioKind, blow: Blow): Blow {
  if (kind === "retention" && random.chance(0.3)) return { ...blow, at: "pruning", delayMs: random.between(0, 20) };
  return random.chance(0.4) ? { ...blow, at: "proven", delayMs: random.between(0, 60) } : blow;
}

function planPrune(random: SeededRandom, sinks: number): Blow {
  const victims = [`sink ${random.between(0, sinks - 1)}`] as const;
  return { how: "prune", victims, at: "registered", delayMs: 0, downMs: random.between(0, PRUNE_MS_MAX) };
}

function planTrouble(
  random: SeededRandom,
  transport: TransportName,
  victims: readonly Victim[],
): Pick<Scenario, "blows" | "deadlineMs"> {
  const deadlineMs = DEADLINE_MS[transport];
  if (!random.chance(FREEZE_SHARE)) return { blows: planBlows(random, victims), deadlineMs };
  const freeze = {
    how: "freeze",
    victims: ["sink 0"],
    at: random.next() * 0.8,
    delayMs: 0,
    downMs: FREEZE_MS,
  } as const;
  return { blows: [freeze], deadlineMs: deadlineMs + FREEZE_MS };
}

function planBlows(random: SeededRandom, victims: readonly Victim[]): Blow[] {
  const shape = random.pick(["one", "one", "twice", "two at once", "one after the other", "three"] as const);
  const [first = "source", second = "coordinator"] = random.shuffled(victims);
  const groups: Victim[][] = {
    one: [[first]],
    twice: [[first], [first]],
    "two at once": [[first, second]],
    "one after the other": [[first], [second]],
    three: [[first], [second], [random.pick(victims)]],
  }[shape];
  const shares = groups.map(() => random.next() * 0.95).sort((one, other) => one - other);
  return groups.map((group, index) => ({
    victims: group,
    at: moment(random, { share: shares[index] ?? 0, first: index === 0, last: index === groups.length - 1 }),
    delayMs: random.between(0, 250),
    downMs: random.chance(0.5) ? 0 : random.between(0, LONGEST_DOWN_MS),
  }));
}

function moment(
  random: SeededRandom,
  { share, first, last }: { readonly share: number; readonly first: boolean; readonly last: boolean },
): Blow["at"] {
  if (first && random.chance(0.1)) return "registered";
  if (last && random.chance(0.1)) return "verifying";
  return share;
}

/** One line that says what a seed does. */
export function describeScenario(scenario: Scenario): string {
  const { transport, isGuarded, sinks, late, blows, keep, deltas, tree } = scenario;
  const copies = [blows, ...laterCopies(scenario)].map((each) => each.map(describeBlow).join("; "));
  const files = tree.largeFiles + tree.mediumFiles + tree.smallFiles;
  const joining = late.sinks > 0 ? `, one more at ${Math.round(late.share * 100)} %` : "";
  return `${transport}${isGuarded ? " with TLS" : ""}, ${sinks} sinks${joining}, ${files} files, ${tree.largeFiles} of ${tree.largeMib} MiB${deltas === undefined ? "" : " that change"}${describeKeep(keep)}; ${copies.join(" / ")}`;
}

function describeBlow({ how = "kill", victims, at, downMs }: Blow): string {
  const when = typeof at === "number" ? `at ${Math.round(at * 100)} %` : at;
  return `${how}s ${victims.join(" and ")} ${when} for ${downMs} ms`;
}

function describeKeep(keep: KeepPlan | undefined): string {
  if (keep === undefined) return "";
  const { commit, keepLast, laterBlows } = keep;
  const words = [
    ...(commit === undefined ? [] : [`commit ${commit}`]),
    ...(keepLast === undefined ? [] : [`keep last ${keepLast}`]),
  ];
  return `, snapshots of ${laterBlows.length + 1} copies${words.map((word) => `, ${word}`).join("")}`;
}
