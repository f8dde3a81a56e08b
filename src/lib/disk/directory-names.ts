import { opendirSync } from "node:fs";

/** Names that are read at once. */
const NAMES_READ = 1024;

/** Names in a directory, some at a time, in no order. */
export function* namesByPath(path: Buffer): Generator<Buffer[], void, undefined> {
  // The types know only the string form of opendir's names; with `encoding: "buffer"` they are Buffers (proven by a test).
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
