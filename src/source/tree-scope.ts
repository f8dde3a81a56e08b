import type { FilterGroup } from "../protocol/filter.ts";
import type { FolderIdentity } from "./root-guard.ts";

/** What of the source's directory is carried. Plain data, to be sent to a thread. */
export interface TreeScope {
  /** Which directory the root was when the run began; the one that stands there now when absent. */
  readonly identity?: FolderIdentity | undefined;
  /** What is left out; nothing when absent. */
  readonly filters?: readonly FilterGroup[] | undefined;
  /** Whether to hash each file beforehand, for sinks that compare by content. @default false */
  readonly checksum?: boolean | undefined;
}
