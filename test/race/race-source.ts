import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeDataTable } from "../../src/protocol/frame/data-table.ts";
import { decodeFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { decodePage } from "../../src/protocol/frame/page-rows.ts";
import type { Problem } from "../../src/protocol/messages/progress.ts";
import { TreeFolder } from "../../src/source/disk/tree-folder.ts";
import { readPage } from "../../src/source/read/file-reader.ts";
import { TreeWalk } from "../../src/source/walk/walk.ts";
import { newBuilder } from "../helpers/copies/source-frames.ts";
import { CANARY, CANARY_ONLY, RaceLab } from "./race-lab.ts";

/** What came of directories in the walk, and of files in the reading: done, or refused since a link stood in the way. */
export interface SourceTally {
  walked: number;
  walkRefused: number;
  read: number;
  readRefused: number;
}

export interface SourceRace {
  readonly tally: SourceTally;
  readonly rounds: number;
  readonly swaps: number;
  /** What of elsewhere was given away, or changed; undefined when nothing was. */
  readonly harm: string | undefined;
}

const DIRECTORIES = ["a", "a/b", "a/b/c", "a/d", "e"];
const NAMES = ["f0", "f1", "f2", "f3"];
/** A walk meets a link only between its look at a directory and its opening. */
const WALKS_EACH = 10;
const OF_CANARY = Buffer.from(CANARY.slice(0, CANARY.length / 20));
/** What is said when a directory on the way is a link. */
const MET_A_LINK = /a directory above it|symbolic link/;

/**
 * Walks and reads a source's directory again and again while another process swaps the directories in it for links to a tree
 * with the same names, until `isOver` says so or something of that tree was given away.
 */
export async function raceSource(
  platform: NodeJS.Platform,
  isOver: (race: Pick<SourceRace, "tally" | "rounds">) => boolean,
): Promise<SourceRace> {
  using lab = new RaceLab(
    DIRECTORIES.flatMap((path) => [...NAMES, "link", ".fanfoldignore"].map((name) => `${path}/${name}`)),
  );
  for (const path of DIRECTORIES) {
    mkdirSync(join(lab.folder, path), { recursive: true });
    for (const name of NAMES) writeFileSync(join(lab.folder, path, name), `${path}/${name}`);
    symlinkSync("f0", join(lab.folder, path, "link"));
  }
  const tally = { walked: 0, walkRefused: 0, read: 0, readRefused: 0 };
  const attack = await lab.attack(DIRECTORIES);
  let [rounds, swaps, harm]: [number, number, string | undefined] = [0, 0, undefined];
  try {
    while (harm === undefined && !isOver({ tally, rounds })) {
      rounds += 1;
      for (let walks = 0; walks < WALKS_EACH; walks += 1) {
        const bodies: Uint8Array[] = [];
        harm ??= walk(lab, platform, { tally, bodies });
        if (walks === 0) harm ??= read(lab, platform, { tally, bodies });
      }
      harm ??= lab.harm();
    }
  } finally {
    swaps = await attack.stop();
  }
  return { tally, rounds, swaps, harm: harm ?? lab.harm() };
}

interface Round {
  readonly tally: SourceTally;
  readonly bodies: Uint8Array[];
}

/** Collects the pages; returns what of elsewhere is in what the walk gives. */
function walk(lab: RaceLab, platform: NodeJS.Platform, { tally, bodies }: Round): string | undefined {
  const root = Buffer.from(lab.folder);
  using tree = new TreeWalk(root, { deletes: true }, TreeFolder.open(root, { platform }));
  for (const output of tree.run()) {
    if (output.type === "problem" && isRefused(output.problem)) tally.walkRefused += 1;
    if (output.type === "scope" && Buffer.from(output.body).includes(OF_CANARY)) return "rules of elsewhere were taken";
    if (output.type !== "page") continue;
    bodies.push(output.body);
    for (const entry of decodePage(output.body).entries) {
      const name = Buffer.from(entry.name).toString();
      if (name === CANARY_ONLY || name === ".fanfoldignore") return `the walk gave a name of elsewhere: ${name}`;
      if (entry.kind === "file" && entry.size === CANARY.length) return "the walk gave a file of elsewhere";
      if (entry.kind === "directory") tally.walked += 1;
    }
  }
  return undefined;
}

/** Reads the files of the pages, each with directories opened anew; returns what of elsewhere is in the frames. */
function read(lab: RaceLab, platform: NodeJS.Platform, { tally, bodies }: Round): string | undefined {
  using folder = TreeFolder.open(Buffer.from(lab.folder), { platform });
  const tree = { page: () => undefined, again: () => undefined };
  for (const body of bodies)
    for (const [index] of decodePage(body).entries.entries())
      for (const output of readPage(body, { folder, builder: newBuilder(), tree, isWanted: (at) => at === index })) {
        if (output.type === "problem" && isRefused(output.problem)) tally.readRefused += 1;
        if (output.type === "file") tally.read += 1;
        if (output.type !== "frame") continue;
        const payload = Buffer.from(output.frame.buffer, 0, output.frame.frameBytes);
        finishFrame(payload, 0);
        const { table, content } = decodeFrame(payload);
        for (const record of decodeDataTable(table, content))
          if (record.kind === "chunk" && Buffer.from(record.bytes).includes(OF_CANARY))
            return "a file of elsewhere was read";
      }
  return undefined;
}

function isRefused({ message }: Problem): boolean {
  return MET_A_LINK.test(message);
}
