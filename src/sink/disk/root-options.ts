import type { Directory } from "../../lib/disk/directories.ts";
import type { Native } from "../../lib/disk/native-calls.ts";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";

/** The newest snapshot, while a tree is made from it. */
export interface Basis {
  /** A directory of it by its path, to be used at once. Undefined when nothing, or something else, stands there. */
  directory(path: Uint8Array): Directory | undefined;
}

/** All snapshots of a folder, while a tree is made from the newest one. */
export interface AllSnapshots {
  /** Directories of the folder, in which each snapshot is one. */
  readonly folder: Basis;
  /** Names of the snapshots, the newest last. */
  readonly names: readonly string[];
}

/** How the door to a sink's disk is opened (root.ts). */
export interface RootOptions {
  readonly platform?: NodeJS.Platform;
  /** @default those of this machine */
  readonly native?: Native | undefined;
  /** Owners by their numbers, whatever their names are here. @default false */
  readonly numericIds?: boolean;
  /** Called for each file before it gets its name, and for its directory behind that. @default nothing is synced here */
  readonly fsync?: ((fd: number) => void) | undefined;
  /** Where is counted what cannot be carried exactly. */
  readonly tally?: FidelityTally;
  /** Where this thread notes what it has open by native calls. */
  readonly openFiles?: OpenFiles | undefined;
  /** Where our own folder lies, from the root on. @default in the root */
  readonly own?: Uint8Array | undefined;
  /** What becomes of it is a tree of its own, beside this one. @default the root is filled as it is */
  readonly basis?: Basis | undefined;
}
