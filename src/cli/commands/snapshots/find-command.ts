import { inSlices } from "../../../lib/async/in-slices.ts";
import { escapeText } from "../../../lib/escape-name.ts";
import { parsePattern } from "../../../protocol/names/pattern.ts";
import { openSnapshots } from "../../../sink/snapshots/open-snapshots.ts";
import { type FoundPath, type FoundState, SnapshotSearch } from "../../../sink/snapshots/snapshot-find.ts";
import { SnapshotTree } from "../../../sink/snapshots/snapshot-tree.ts";
import { formatBytes } from "../../../words/format.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import { boundMemory } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { FoundRecord, FoundStateRecord } from "../../view/snapshots/snapshot-records.ts";
import { offline } from "./offline.ts";

/** As commander reads them. */
export interface FindOptions {
  readonly json?: boolean;
}

interface FindWords {
  readonly folder: string;
  readonly name: string;
}

/** `fanfold find FOLDER NAME` */
export function findCommand(words: FindWords, { json = false }: FindOptions, io: ProgramIo): Promise<number> {
  return offline({ io, json }, async (signal) => {
    boundMemory();
    const search = new SnapshotSearch(parsePattern(parsePath(words.name, "the name"), "the name"));
    using folder = openSnapshots(parsePath(words.folder, "the folder"), "cannot look into the snapshots");
    for (const { name } of folder.snapshots) {
      using tree = SnapshotTree.open(folder.directories, name);
      await inSlices(search.look(name, tree), { clock: io.clock, signal });
    }
    for (const each of search.found)
      for (const line of json ? [JSON.stringify(record(each))] : lines(each)) io.stdout.write(`${line}\n`);
    if (search.found.length === 0 && !json) io.stderr.write(`No snapshot has an entry "${escapeText(words.name)}".\n`);
    return EXIT_STATUS.ok;
  });
}

const WORDS: Readonly<Record<FoundState["change"], string>> = {
  added: "there",
  removed: "gone",
  content: "other content",
  metadata: "other metadata",
  type: "another kind",
};

function lines({ path, states }: FoundPath): readonly string[] {
  return [path, ...states.map(({ snapshot, change, entry }) => `  ${snapshot}  ${WORDS[change]}${entryText(entry)}`)];
}

function entryText(entry: FoundState["entry"]): string {
  if (entry === undefined) return "";
  return entry.kind === "file" ? `, ${formatBytes(entry.size)}` : `, ${entry.kind}`;
}

function record({ path, states }: FoundPath): FoundRecord {
  return {
    path,
    states: states.map(({ snapshot, change, entry }): FoundStateRecord => {
      if (entry === undefined) return { snapshot, change };
      const modifiedAt = new Date(entry.mtime.seconds * 1000);
      const time = Number.isNaN(modifiedAt.getTime()) ? {} : { modifiedAt: modifiedAt.toISOString() };
      const bytes = entry.kind === "file" ? { bytes: entry.size } : {};
      return { snapshot, change, kind: entry.kind, ...bytes, ...time };
    }),
  };
}
