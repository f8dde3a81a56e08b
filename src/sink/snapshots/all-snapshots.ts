import { Directories } from "../../lib/disk/directories.ts";
import type { AllSnapshots } from "../disk/root-options.ts";
import { type BasisOptions, BasisTree } from "./basis-tree.ts";
import { snapshotNames } from "./catalogue.ts";

/** The snapshots of a folder. Throws system errors. */
export function openAllSnapshots(path: Buffer, options: BasisOptions): AllSnapshots & Disposable {
  using directories = Directories.open(path, process.platform);
  const names = snapshotNames(directories);
  const folder = BasisTree.open(path, options);
  return { folder, names, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}
