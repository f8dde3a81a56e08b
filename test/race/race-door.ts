import { mkdirSync } from "node:fs";
import { systemCode } from "../../src/lib/errors.ts";
import { Root } from "../../src/sink/disk/root.ts";
import { CANARY_FILES, DOOR_OPERATIONS, type DoorOperation, Leak, SWAPPED } from "./door-operations.ts";
import { RaceLab } from "./race-lab.ts";

/** How often an operation went through, met a link in its way, or found something else that was not as it should be. */
export interface Tally {
  done: number;
  refused: number;
  other: number;
}

export interface DoorRace {
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly rounds: number;
  readonly swaps: number;
  /** What went wrong outside, or was read from there; undefined when nothing did. */
  readonly harm: string | undefined;
}

/** What the system says of a link where a directory is wanted. */
const MET_A_LINK: ReadonlySet<string> = new Set(["ELOOP", "ENOTDIR"]);

/**
 * Does every operation of the door again and again while another process swaps the directories under it, until `isOver`
 * says so or harm is done.
 */
export async function raceDoor(
  platform: NodeJS.Platform,
  isOver: (race: Pick<DoorRace, "tallies" | "rounds">) => boolean,
): Promise<DoorRace> {
  using lab = new RaceLab(CANARY_FILES);
  for (const path of [...SWAPPED.slice(0, 5), "a/b/c/tree", ".fanfold/partial/tree"])
    mkdirSync(`${lab.folder}/${path}`, { recursive: true });
  const tallies = new Map(DOOR_OPERATIONS.map(({ name }) => [name, { done: 0, refused: 0, other: 0 }]));
  const attack = await lab.attack(SWAPPED);
  let [rounds, swaps, harm]: [number, number, string | undefined] = [0, 0, undefined];
  try {
    while (harm === undefined && !isOver({ tallies, rounds })) {
      rounds += 1;
      for (const operation of DOOR_OPERATIONS) harm ??= attempt(operation, lab, { platform, round: rounds, tallies });
      harm ??= lab.harm();
    }
  } finally {
    swaps = await attack.stop();
  }
  return { tallies, rounds, swaps, harm: harm ?? lab.harm() };
}

interface Attempt {
  readonly platform: NodeJS.Platform;
  readonly round: number;
  readonly tallies: ReadonlyMap<string, Tally>;
}

/** With directories opened anew, so that there is a way to be swapped. Returns what was read from elsewhere. */
function attempt(
  { name, run }: DoorOperation,
  lab: RaceLab,
  { platform, round, tallies }: Attempt,
): string | undefined {
  const tally = tallies.get(name) ?? { done: 0, refused: 0, other: 0 };
  try {
    using root = Root.open(Buffer.from(lab.folder), { platform });
    run(root, round, lab.folder);
    tally.done += 1;
  } catch (thrown) {
    if (thrown instanceof Leak) return `${name}: ${thrown.message}`;
    const code = systemCode(thrown);
    if (code === undefined) throw thrown;
    if (MET_A_LINK.has(code)) tally.refused += 1;
    else tally.other += 1;
  }
  return undefined;
}
