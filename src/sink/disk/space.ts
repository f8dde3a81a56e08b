import type { StatsFs } from "node:fs";
import type { Space } from "../../protocol/messages/control.ts";

/** What a file system has, of which the system tells these numbers; undefined when it tells none. */
export function spaceOf({ blocks, bavail, bfree, bsize }: StatsFs): Space | undefined {
  if (blocks === 0) return undefined;
  // The last blocks are root's alone.
  const freeBytes = (process.getuid?.() === 0 ? bfree : bavail) * bsize;
  return { freeBytes, sizeBytes: blocks * bsize };
}
