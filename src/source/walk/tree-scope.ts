import type { Keeps } from "../../protocol/frame/page.ts";
import type { FilterGroup } from "../../protocol/names/filter.ts";
import type { FolderIdentity } from "../disk/root-guard.ts";
import type { LinkPolicy } from "./link-policy.ts";

/** What of the source's directory is carried. Plain data, to be sent to a thread. */
export interface TreeScope {
  /** Which directory the root was when the run began; the one that stands there now when absent. */
  readonly identity?: FolderIdentity | undefined;
  /** What is left out; nothing when absent. */
  readonly filters?: readonly FilterGroup[] | undefined;
  /** Whether to hash each file beforehand, for sinks that compare by content. @default false */
  readonly checksum?: boolean | undefined;
  /** Whether directories on other file systems than the root's are not looked into. @default false */
  readonly oneFileSystem?: boolean | undefined;
  /** Which symbolic links are carried. @default "keep" */
  readonly links?: LinkPolicy | undefined;
  /** Whether owners and groups are carried. @default true */
  readonly owner?: boolean | undefined;
  /** Which of mode and time are carried; both when absent. */
  readonly keeps?: Keeps | undefined;
  /** Whether sinks are to delete what the tree has not: then they are told what was left out. @default false */
  readonly deletes?: boolean | undefined;
}

/** Only that, of more: what is sent to a thread must be plain. */
export function treeScopeOf(more: TreeScope): TreeScope {
  const { identity, filters, checksum, oneFileSystem, links, owner, keeps, deletes } = more;
  return { identity, filters, checksum, oneFileSystem, links, owner, keeps, deletes };
}
