import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { readFully } from "../../lib/disk/read-fully.ts";

/** An open file of the tree. Disposing closes it. */
export interface FileToRead extends Disposable {
  readonly fd: number;
  isRegular(): boolean;
  /** What it begins with, `bytesMax` bytes at most. Throws system errors. */
  beginning(bytesMax: number): Buffer;
}

/** Opens what stands at a path that was given by a pinned directory: no link is followed, no FIFO is waited for. */
export function openToRead(path: Buffer): FileToRead {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  return {
    fd,
    isRegular: () => fstatSync(fd).isFile(),
    beginning(bytesMax) {
      const space = Buffer.alloc(bytesMax);
      return space.subarray(0, readFully(fd, space, 0));
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** A file that a person named, outside of the tree: links and pipes count. Throws system errors, and what it says of its size. */
export function readNamedFile(path: Buffer, bytesMax: number): Buffer {
  const { size } = statSync(path);
  if (size > bytesMax) throw new Error(`${size} bytes, want at most ${bytesMax}`);
  return readFileSync(path);
}
