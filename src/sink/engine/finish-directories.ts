import { ENTRY_KINDS, type Entry, entryPath } from "../../protocol/frame/page.ts";
import { PlainLook } from "../disk/plain-look.ts";
import type { Root } from "../disk/root.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import type { PageStore } from "../stream/page-store.ts";

interface DirectoryFinish {
  readonly root: Root;
  readonly pageStore: PageStore;
  /** Runs the work on one entry unless it has failed; a failure of its own is told. */
  readonly guarded: (entry: Entry, work: () => void) => void;
}

/**
 * Times and modes of directories come last: filling a directory changes its time, and a mode may forbid filling it. What is
 * in a directory comes before it.
 */
export function finishDirectories({ root, pageStore, guarded }: DirectoryFinish): void {
  const plain = new PlainLook(root);
  for (const rows of pageStore.backwards()) {
    for (let index = rows.count - 1; index >= 0; index -= 1) {
      if (rows.kind(index) !== ENTRY_KINDS.directory || plain.isFinished(rows, index)) continue;
      const entry = rows.entry(index);
      guarded(entry, () => root.finishDirectory(entryPath(entry), metadataEntryOf(entry)));
    }
  }
}
