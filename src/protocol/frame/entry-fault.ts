import { deviceFault, modeFault, placeFault, targetFault } from "./field-faults.ts";
import type { Entry } from "./page.ts";
import { fileFault } from "./page-file.ts";
import { attributesFault, ownerFault } from "./page-tables.ts";
import { timestampFault } from "./timestamp.ts";

/**
 * Why sinks would refuse a page that holds this entry, as a clause; undefined when they would not. Its directory was an entry
 * before, and its number is its page's.
 */
export function entryFault(entry: Entry): string | undefined {
  const { name, directory, mode, mtime, owner, attributes } = entry;
  const isRoot = entry.kind === "directory" && directory.length === 0 && name.length === 0;
  return (
    (isRoot ? undefined : placeFault(entry)) ??
    modeFault(mode) ??
    timestampFault(mtime) ??
    (owner === undefined ? undefined : ownerFault(owner)) ??
    (attributes === undefined ? undefined : attributesFault(attributes)) ??
    kindFault(entry)
  );
}

function kindFault(entry: Entry): string | undefined {
  switch (entry.kind) {
    case "file":
      return fileFault(entry);
    case "symlink":
      return targetFault(entry.target);
    case "device":
      return deviceFault(entry);
    case "directory":
    case "fifo":
    case "hardlink":
      return undefined;
    default:
      return entry satisfies never;
  }
}
