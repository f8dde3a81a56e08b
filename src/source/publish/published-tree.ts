import type { FilePath } from "../../lib/folder/file-path.ts";
import type { BandwidthOptions } from "../../member/limit/bandwidth.ts";
import type { Throttle } from "../../member/limit/throttle.ts";
import type { CompressionMode } from "../../protocol/compression-mode.ts";
import type { DeltaMode } from "../../protocol/delta-mode.ts";
import type { DeleteLimit } from "../../protocol/messages/deletion.ts";
import { openSourceFolder } from "../disk/source-folder.ts";
import { type FilterOption, readFilters } from "../walk/filter-options.ts";
import type { LinkPolicy } from "../walk/link-policy.ts";
import type { TreeScope } from "../walk/tree-scope.ts";

/** What a source is told of what it publishes. Its rate is that of all sinks together. */
export interface TreeOptions extends BandwidthOptions {
  /** Directory to publish. */
  readonly folder: FilePath;
  /** What is left out of the copy (docs/filters.md): the first that says anything of an entry decides. */
  readonly filters?: readonly FilterOption[];
  /** Whether to compare files by their content, and not by size and time. @default false */
  readonly checksum?: boolean;
  /** Whether directories on other file systems than the source's own are not looked into. @default false */
  readonly oneFileSystem?: boolean;
  /** Which symbolic links are carried: all, those that do not lead out of the directory, or none. @default "keep" */
  readonly links?: LinkPolicy;
  /** Whether owners and groups are carried. @default true */
  readonly owner?: boolean;
  /** Whether permission bits are carried. @default true */
  readonly perms?: boolean;
  /** Whether modification times are carried; without them files are compared by content. @default true */
  readonly times?: boolean;
  /** The sinks delete what the source has not, up to so much; nothing when absent. */
  readonly deletion?: DeleteLimit;
  /** Whether content is compressed on its way: where bytes are what it waits for, always, or never. @default "auto" */
  readonly compression?: CompressionMode;
  /** Whether of large files that changed only that is sent which some sink lacks: where bytes are what it waits for, always, or never. @default "auto" */
  readonly delta?: DeltaMode;
}

/** What is published: the same for every stream of a session. */
export interface PublishedTree extends TreeScope {
  /** Canonical path, bytes. */
  readonly root: Buffer;
  /** Holds what is published to a rate; nothing is waited for without it. */
  readonly throttle?: Throttle | undefined;
  /** Where the content hashes of its files are remembered; nowhere when absent. */
  readonly memory?: Buffer | undefined;
  readonly compression?: CompressionMode | undefined;
  readonly delta?: DeltaMode | undefined;
  /** What sinks may delete at most of what the tree has not; nothing when absent. */
  readonly deletion?: DeleteLimit | undefined;
}

/** @throws FanfoldError `usage` for filters that cannot be used, `folder-…` for the directory */
export function openTree(options: TreeOptions, throttle?: Throttle): PublishedTree {
  const { folder, filters = [], oneFileSystem, links, owner, deletion, compression, delta } = options;
  const keeps = { perms: options.perms !== false, times: options.times !== false };
  // Without times nothing but the content says whether a file is the same.
  const checksum = options.checksum === true || !keeps.times;
  const scope = {
    filters: readFilters(filters),
    checksum,
    oneFileSystem,
    links,
    owner,
    keeps,
    deletes: deletion !== undefined,
  };
  return { ...openSourceFolder(folder), ...scope, deletion, throttle, compression, delta };
}
