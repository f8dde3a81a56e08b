import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const LOOK_EVERY_MS = 5;
/** What is a sink's own: state in its files, and files that are not complete yet in its folders. */
const OWN_FOLDER = ".fanfold";

/** When the first and the last of some folders held a byte of content, under a final name or a partial one. */
export async function firstBytes(
  folders: readonly string[],
  signal: AbortSignal,
): Promise<{ first: number; all: number }> {
  const waiting = new Set(folders);
  let first: number | undefined;
  for (;;) {
    for (const folder of waiting) {
      if (!holdsContent(folder)) continue;
      first ??= performance.now();
      waiting.delete(folder);
    }
    if (first !== undefined && waiting.size === 0) return { first, all: performance.now() };
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}

function holdsContent(folder: string, isOwn = false): boolean {
  return entriesOf(folder).some((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return holdsContent(path, entry.name === OWN_FOLDER);
    return entry.isFile() && !isOwn && (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
  });
}

/** None of a folder that was renamed meanwhile. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
