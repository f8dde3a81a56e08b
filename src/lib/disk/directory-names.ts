import { closeSync, opendirSync, openSync } from "node:fs";
import { type Directory, OPEN_DIRECTORY } from "./directories.ts";
import type { Native } from "./native-calls.ts";

/** Names that are read at once. */
const NAMES_READ = 1024;

/** Names in a directory, some at a time, in no order. Other directories may be asked for while they are read. */
export function* namesInDirectory(
  directory: Directory,
  native: Native | undefined,
): Generator<Buffer[], void, undefined> {
  if (native === undefined || !directory.isPinned) {
    yield* namesByPath(directory.base);
    return;
  }
  // Opened once more: the directory itself may be closed meanwhile.
  const fd = openSync(directory.base, OPEN_DIRECTORY);
  try {
    yield* native.readNames(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * The same by its path, which ends with a slash. Some file systems do not give the types of entries with a directory (ext4
 * without `filetype`, some NFS and FUSE). There Node.js asks for each entry. It puts path and name together, so both must
 * be Buffers.
 */
export function* namesByPath(path: Buffer): Generator<Buffer[], void, undefined> {
  // The types know only the string form of opendir's names. With `encoding: "buffer"` they are Buffers (proven by a test).
  const options = { encoding: "buffer" as BufferEncoding, bufferSize: NAMES_READ };
  const directory = opendirSync(path as unknown as string, options);
  try {
    let names: Buffer[] = [];
    for (let dirent = directory.readSync(); dirent !== null; dirent = directory.readSync()) {
      names.push(dirent.name as unknown as Buffer);
      if (names.length < NAMES_READ) continue;
      yield names;
      names = [];
    }
    yield names;
  } finally {
    directory.closeSync();
  }
}
