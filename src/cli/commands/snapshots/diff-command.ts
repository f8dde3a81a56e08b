import { inSlices } from "../../../lib/async/in-slices.ts";
import { restoredPath } from "../../../sink/restore/restore.ts";
import { openSnapshots } from "../../../sink/snapshots/open-snapshots.ts";
import { type ChangeKind, type SnapshotChange, snapshotDiff } from "../../../sink/snapshots/snapshot-diff.ts";
import { SnapshotTree } from "../../../sink/snapshots/snapshot-tree.ts";
import { formatBytes, plural } from "../../../words/format.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import { boundMemory } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { DiffAmount, DiffRecord } from "../../view/snapshots/snapshot-records.ts";
import { snapshotOf } from "./folder-at.ts";
import { offline } from "./offline.ts";

/** As commander reads them. */
export interface DiffOptions {
  readonly stat?: boolean;
  readonly json?: boolean;
}

interface DiffWords {
  readonly folder: string;
  readonly from: string;
  readonly to: string;
}

interface DiffEnd extends Pick<DiffWords, "from" | "to"> {
  readonly amounts: ReadonlyMap<ChangeKind, DiffAmount>;
}

const LETTERS: Readonly<Record<ChangeKind, string>> = {
  added: "+",
  removed: "-",
  content: "M",
  metadata: "U",
  type: "T",
};
const WORDS: Readonly<Record<ChangeKind, string>> = {
  added: "added",
  removed: "removed",
  content: "other content",
  metadata: "other metadata",
  type: "another kind",
};

/** `fanfold diff FOLDER A B` */
export function diffCommand(words: DiffWords, options: DiffOptions, io: ProgramIo): Promise<number> {
  const { stat = false, json = false } = options;
  return offline({ io, json }, async (signal) => {
    boundMemory();
    using folder = openSnapshots(parsePath(words.folder, "the folder"), "cannot compare the snapshots");
    const { name: from } = snapshotOf(folder.snapshots, words.from, io);
    const { name: to } = snapshotOf(folder.snapshots, words.to, io);
    using before = SnapshotTree.open(folder.directories, from);
    using after = SnapshotTree.open(folder.directories, to);
    const amounts = new Map<ChangeKind, DiffAmount>();
    const tell = (change: SnapshotChange): void => {
      count(amounts, change);
      if (!stat) io.stdout.write(`${json ? JSON.stringify(changeRecord(change)) : changeLine(change)}\n`);
    };
    const run = { clock: io.clock, signal };
    for (const tree of [before, after]) await inSlices(tree.index(), run);
    await inSlices(told(snapshotDiff(before, after), tell), run);
    if (json) io.stdout.write(`${JSON.stringify(endRecord({ from, to, amounts }))}\n`);
    else if (stat) for (const line of amountLines(amounts)) io.stdout.write(`${line}\n`);
    return EXIT_STATUS.ok;
  });
}

function* told(
  changes: Iterable<SnapshotChange | undefined>,
  tell: (change: SnapshotChange) => void,
): Generator<void, void, undefined> {
  for (const change of changes) {
    if (change !== undefined) tell(change);
    yield;
  }
}

function count(amounts: Map<ChangeKind, DiffAmount>, { kind, entry: { entry, size } }: SnapshotChange): void {
  const { entries, files, bytes } = amounts.get(kind) ?? { entries: 0, files: 0, bytes: 0 };
  const file = entry.kind === "file" ? { files: files + 1, bytes: bytes + size } : { files, bytes };
  amounts.set(kind, { entries: entries + 1, ...file });
}

function changeLine({ kind, entry: { entry } }: SnapshotChange): string {
  return `${LETTERS[kind]}    ${restoredPath(entry)}`;
}

function changeRecord({ kind, entry: { entry, size } }: SnapshotChange): DiffRecord {
  const bytes = entry.kind === "file" ? { bytes: size } : {};
  return { type: "change", change: kind, path: restoredPath(entry), kind: entry.kind, ...bytes };
}

function endRecord({ from, to, amounts }: DiffEnd): DiffRecord {
  return { type: "finished", from, to, changes: Object.fromEntries(amounts) };
}

function amountLines(amounts: ReadonlyMap<ChangeKind, DiffAmount>): readonly string[] {
  if (amounts.size === 0) return ["nothing differs"];
  return [...amounts].map(([kind, { entries, files, bytes }]) => {
    const amount = `${plural(entries, "entry", "entries")}, ${plural(files, "file")} of ${formatBytes(bytes)}`;
    return `${LETTERS[kind]}    ${WORDS[kind]}: ${amount}`;
  });
}
