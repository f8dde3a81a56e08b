import { inSlices } from "../../../lib/async/in-slices.ts";
import { FanfoldError } from "../../../lib/errors.ts";
import { pathIn } from "../../../lib/folder/file-path.ts";
import { Root } from "../../../sink/disk/root.ts";
import { openSnapshots, type SnapshotFolder } from "../../../sink/snapshots/open-snapshots.ts";
import { ownBytes } from "../../../sink/snapshots/own-bytes.ts";
import { SnapshotTree } from "../../../sink/snapshots/snapshot-tree.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SnapshotList } from "../../view/snapshots/snapshot-records.ts";
import { snapshotRecord, snapshotTable } from "../../view/snapshots/snapshot-table.ts";
import { offline } from "./offline.ts";

/** As commander reads them. */
export interface SnapshotsOptions {
  /** Looks at every file. */
  readonly own?: boolean;
  readonly json?: boolean;
}

/** `fanfold snapshots FOLDER` */
export function listSnapshots(given: string, options: SnapshotsOptions, io: ProgramIo): Promise<number> {
  const { own = false, json = false } = options;
  return offline({ io, json }, async (signal) => {
    using folder = openSnapshots(parsePath(given, "the folder"), "cannot list the snapshots");
    const { snapshots } = folder;
    const alone = own ? await ownBytesOf(folder, { clock: io.clock, signal }) : new Map<string, number>();
    if (json) {
      const list: SnapshotList = { snapshots: snapshots.map((each) => snapshotRecord(each, alone.get(each.name))) };
      io.stdout.write(`${JSON.stringify(list)}\n`);
      return EXIT_STATUS.ok;
    }
    for (const line of snapshotTable(snapshots, own ? alone : undefined)) io.stdout.write(`${line}\n`);
    for (const { facts } of snapshots)
      if (facts instanceof FanfoldError) io.stderr.write(`fanfold: warning: ${facts.message}\n`);
    return EXIT_STATUS.ok;
  });
}

/** Of those whose manifest is there. */
async function ownBytesOf(
  { path, directories, snapshots }: SnapshotFolder,
  run: Parameters<typeof inSlices>[1],
): Promise<ReadonlyMap<string, number>> {
  const bytes = new Map<string, number>();
  for (const { name, facts } of snapshots) {
    if (facts instanceof FanfoldError) continue;
    using tree = SnapshotTree.open(directories, name);
    using root = Root.open(pathIn(path, name));
    await inSlices(tree.index(), run);
    bytes.set(name, await inSlices(ownBytes(root, tree), run));
  }
  return bytes;
}
