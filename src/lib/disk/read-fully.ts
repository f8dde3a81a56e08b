import { readSync } from "node:fs";

/** Fills `space` from `offset`; returns less than its length at the end of the file. */
export function readFully(fd: number, space: Buffer, offset: number): number {
  let done = 0;
  while (done < space.length) {
    const count = readSync(fd, space, done, space.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
