import type { FidelityTally } from "../protocol/fidelity.ts";
import { type Entry, entryDisplay, type FileEntry } from "../protocol/page.ts";
import { keptOf } from "./kept-attributes.ts";
import type { Root } from "./root.ts";

/** Makes an entry that has no content of its own, when its page comes. */
export function placeEntry(
  entry: Exclude<Entry, FileEntry>,
  { root, fidelity }: { readonly root: Root; readonly fidelity: FidelityTally },
): void {
  switch (entry.kind) {
    case "symlink":
      root.placeSymlink(entry.directory, entry.name, {
        target: entry.target,
        mtime: keptOf(root.keeps, entry).mtime,
        id: entry.entry,
      });
      return;
    case "directory":
      if (entry.entry === 0) root.prepareRoot();
      else root.ensureDirectory(entry.directory, entry.name, root.keeps.perms ? undefined : entry.mode);
      return;
    case "fifo":
    case "device":
      fidelity.add(entry.kind, entryDisplay(entry));
      return;
    case "hardlink":
      // At the end, when all files are there.
      return;
    default:
      entry satisfies never;
  }
}
