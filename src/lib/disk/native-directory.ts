import { endianness } from "node:os";
import type Koffi from "koffi";
import { namesByPath } from "./directory-names.ts";
import type { Native } from "./native-calls.ts";
import { bound } from "./native-names.ts";

/*
 * The structure that `getdents64` fills in: inode (u64), offset (s64), length of the entry (u16), type (u8), and the
 * name with a NUL after it. It is the same on every platform, except for the order of bytes in a number.
 */
const LENGTH_AT = 16;
const NAME_AT = 19;
const LIST_BYTES = 32 * 1024;
const DOT = 0x2e;

type Library = ReturnType<typeof Koffi.load>;
type Call = (directory: number, list: Buffer, bytes: number) => number;

/** By its path where the C library has no such call: Node.js makes some objects for each directory, and one for each name. */
export function bindReadNames(
  library: Library,
  { rewind, failure }: { readonly rewind: (fd: number) => void; readonly failure: (syscall: string) => Error },
): Native["readNames"] {
  const getdents = bound((): Call => library.func("int64_t getdents64(int, uint8_t *, size_t)"));
  if (getdents === undefined) return (directory) => namesByPath(Buffer.from(`/proc/self/fd/${directory}/`));
  // For all directories: names are copied before anybody else is asked.
  const list = Buffer.alloc(LIST_BYTES);
  return function* readNames(directory) {
    rewind(directory);
    for (;;) {
      const length = getdents(directory, list, list.length);
      if (length < 0) throw failure("getdents64");
      if (length === 0) return;
      yield namesIn(list.subarray(0, length));
    }
  };
}

function namesIn(list: Buffer): Buffer[] {
  const names: Buffer[] = [];
  const isLittle = endianness() === "LE";
  for (let at = 0; at < list.length; ) {
    const start = at + NAME_AT;
    const bytes = isLittle ? list.readUInt16LE(at + LENGTH_AT) : list.readUInt16BE(at + LENGTH_AT);
    const end = list.indexOf(0, start);
    if (!isDots(list, start, end)) names.push(Buffer.from(list.subarray(start, end)));
    at += bytes;
  }
  return names;
}

/** `.` or `..`, which every directory has. */
function isDots(list: Buffer, start: number, end: number): boolean {
  return list[start] === DOT && (end - start === 1 || (end - start === 2 && list[start + 1] === DOT));
}
