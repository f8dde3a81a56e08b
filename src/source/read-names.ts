import { opendirSync } from "node:fs";

/** Names of one directory that are held and sorted at once; a larger directory is sorted in runs of this many. */
const NAMES_SORTED_MAX = 65_536;

/** Names in a directory in sorted runs. */
export function* readNames(path: Buffer): Generator<Buffer[], void, undefined> {
  // The types know only the string form of opendir's names; with `encoding: "buffer"` they are Buffers (proven by a test).
  const directory = opendirSync(path as unknown as string, { encoding: "buffer" as BufferEncoding, bufferSize: 1024 });
  try {
    let names: Buffer[] = [];
    for (let dirent = directory.readSync(); dirent !== null; dirent = directory.readSync()) {
      names.push(dirent.name as unknown as Buffer);
      if (names.length === NAMES_SORTED_MAX) {
        yield names.sort(Buffer.compare);
        names = [];
      }
    }
    yield names.sort(Buffer.compare);
  } finally {
    directory.closeSync();
  }
}
