import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const PART = Buffer.alloc(4 * 1024 * 1024, 1);

/**
 * Writes as much as the next run will, and removes it. A virtual machine gives memory that nobody uses back to its host,
 * and the next one to write has to wait for it again: that should be nobody who is measured.
 */
export function warmMemory(folder: string, bytes: number): void {
  const path = join(folder, "warm");
  const fd = openSync(path, "w");
  try {
    for (let left = bytes; left > 0; left -= PART.length) writeSync(fd, PART);
  } finally {
    closeSync(fd);
    rmSync(path);
  }
}
