import { closeSync } from "node:fs";

const NONE = -1;

/**
 * Descriptors that a thread opened by native calls, in memory that whoever started it shares. Node.js knows nothing of them; all
 * others it closes when it ends a thread.
 */
export type OpenFiles = Int32Array<SharedArrayBuffer>;

/** @param filesMax what may be open at once */
export function newOpenFiles(filesMax: number): OpenFiles {
  return new Int32Array(new SharedArrayBuffer(filesMax * Int32Array.BYTES_PER_ELEMENT)).fill(NONE);
}

export function noteOpen(files: OpenFiles, fd: number): void {
  files[files.indexOf(NONE)] = fd;
}

/** To be called before it is closed: closed twice, the second time it might be another's. */
export function noteClosing(files: OpenFiles, fd: number): void {
  files[files.indexOf(fd)] = NONE;
}

/** Once the thread is gone that opened them. */
export function closeLeftOpen(files: OpenFiles): void {
  for (const [at, fd] of files.entries()) {
    if (fd === NONE) continue;
    files[at] = NONE;
    closeSync(fd);
  }
}
