import type { Native } from "../../lib/disk/native-calls.ts";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import type { FidelityTally } from "../../protocol/messages/fidelity.ts";

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
}
