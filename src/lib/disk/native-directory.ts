import { endianness } from "node:os";
import { namesByPath } from "./directory-names.ts";
import { NameList } from "./name-list.ts";
import type { Native } from "./native-calls.ts";
import { bound, type NativeLibrary } from "./native-names.ts";

/*
 * The structure that `getdents64` fills in: inode (u64), offset (s64), length of the entry (u16), type (u8), and the
 * name with a NUL after it. It is the same on every platform, except for the order of bytes in a number.
 */
const LENGTH_AT = 16;
const NAME_AT = 19;
const LIST_BYTES = 32 * 1024;
const DOT = 0x2e;
const [LOW, HIGH] = endianness() === "LE" ? [0, 1] : [1, 0];

type GetEntries = (directory: number, list: Uint8Array, bytes: number) => number;
type DirectoryCalls = Pick<Native, "moreNames" | "readNames">;

/** By its path where the C library has no such call: Node.js makes some objects for each directory, and one for each name. */
export function bindReadNames(
  library: NativeLibrary,
  { rewind, failure }: { readonly rewind: (fd: number) => void; readonly failure: (syscall: string) => Error },
): DirectoryCalls {
  const getdents = bound((): GetEntries => library.func("int64_t getdents64(int, uint8_t *, size_t)"));
  if (getdents === undefined) return { readNames: (fd) => namesByPath(Buffer.from(`/proc/self/fd/${fd}/`)) };
  // For all directories: names are copied before anybody else is asked.
  const list = new Uint8Array(LIST_BYTES);
  const moreNames = (directory: number, into: NameList, isFirst: boolean): boolean => {
    if (isFirst) rewind(directory);
    const length = getdents(directory, list, list.length);
    if (length < 0) throw failure("getdents64");
    addNames(list, length, into);
    return length > 0;
  };
  return {
    moreNames,
    *readNames(directory) {
      const names = new NameList();
      for (let isFirst = true; moreNames(directory, names, isFirst); isFirst = false) {
        yield Array.from({ length: names.count }, (_, index) => names.name(index));
        names.clear();
      }
    },
  };
}

function addNames(list: Uint8Array, length: number, into: NameList): void {
  for (let at = 0; at < length; ) {
    const start = at + NAME_AT;
    let end = start;
    while (list[end] !== 0) end += 1;
    if (!isDots(list, start, end)) into.add(list, start, end);
    at += (list[at + LENGTH_AT + LOW] ?? 0) | ((list[at + LENGTH_AT + HIGH] ?? 0) << 8);
  }
}

/** `.` or `..`, which every directory has. */
function isDots(list: Uint8Array, start: number, end: number): boolean {
  return list[start] === DOT && (end - start === 1 || (end - start === 2 && list[start + 1] === DOT));
}
