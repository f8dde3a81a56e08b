import type { Clock } from "../lib/clock.ts";
import { type FilterOption, readFilters } from "./filter-options.ts";
import { openSourceFolder } from "./source-folder.ts";
import { Throttle } from "./throttle.ts";
import type { TreeScope } from "./tree-scope.ts";

/** What a source is told of what it publishes. */
export interface TreeOptions {
  /** Directory to publish. */
  readonly folder: string;
  /** What is left out of the copy (docs/filters.md): the first that says anything of an entry decides. */
  readonly filters?: readonly FilterOption[];
  /** Whether to compare files by their content, and not by size and time. @default false */
  readonly checksum?: boolean;
  /** Bytes a second that are published at most, to all sinks together; no limit when absent. */
  readonly bytesPerSecondMax?: number;
}

/** What is published: the same for every stream of a session. */
export interface PublishedTree extends TreeScope {
  /** Canonical path, bytes. */
  readonly root: Buffer;
  readonly throttle?: Throttle | undefined;
}

/** @throws FanfoldError `usage` for filters that cannot be used, `folder-…` for the directory */
export function openTree(options: TreeOptions, clock: Clock): PublishedTree {
  const { folder, filters = [], checksum, bytesPerSecondMax } = options;
  const throttle = bytesPerSecondMax === undefined ? undefined : new Throttle(bytesPerSecondMax, clock);
  return { filters: readFilters(filters), ...openSourceFolder(folder), checksum, throttle };
}
