import { renameSync } from "node:fs";
import { constants as osConstants } from "node:os";
import { getSystemErrorName } from "node:util";
import type Koffi from "koffi";
import { type EntryStats, statDescriptor, statPath } from "./entry-stats.ts";
import type { Native, NativeName } from "./native-calls.ts";
import { StatxBuffer } from "./statx-stats.ts";
import { TakenName } from "./taken-name.ts";

/*
 * Calls for names in open directories. Node.js has none: by `/proc/self/fd/<descriptor>/<name>` it can do the same, but the
 * way through /proc takes as long as the rest of the call.
 */
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const O_CLOEXEC = 0o2000000;
/** Since Linux 6.13, with this number on every platform; C libraries do not name it. */
const LISTXATTRAT = 465;
/** Enough for most lists. Linux takes as much memory as it is offered before it looks, which for the most costs more than the call. */
const LIST_BYTES_USUAL = 1024;
const { EBADF, EINTR, ENOENT, ENOSYS, EPERM, ERANGE } = osConstants.errno;

export type NativeLibrary = ReturnType<typeof Koffi.load>;
/** Binds to a call of the C library. */
export type NativeCall<Arguments extends readonly unknown[]> = (...values: Arguments) => number;

interface Errors {
  readonly errno: () => number;
  readonly failure: (syscall: string) => Error;
}

type LookCalls = "statName" | "statOpen" | "lookName" | "lookOpen" | "lookTaken";

interface ListCalls {
  readonly attributesTaken: Native["attributesTaken"];
  /** Fills `list` with names of attributes, and gives its length. Negative when that is to be asked by a path instead. */
  readonly listAttributes: (place: NativeName | number, list: Buffer) => number;
}

interface NameCalls {
  readonly calls: Pick<
    Native,
    | LookCalls
    | "attributesTaken"
    | "openTaken"
    | "readLink"
    | "readAt"
    | "openName"
    | "close"
    | "renameName"
    | "linkName"
  >;
  readonly listAttributes: ListCalls["listAttributes"];
}

export function bindNames(library: NativeLibrary, { errno, failure }: Errors): NameCalls {
  // The last is one of `...` in C, which on the platforms that koffi knows is passed like any other.
  const openat: NativeCall<[directory: number, name: Uint8Array, flags: number, mode: number]> = library.func(
    "int openat(int, const uint8_t *, int, uint32_t)",
  );
  const renameat: NativeCall<[from: number, name: Uint8Array, to: number, name: Uint8Array]> = library.func(
    "int renameat(int, const uint8_t *, int, const uint8_t *)",
  );
  const linkat: NativeCall<[from: number, name: Uint8Array, to: number, name: Uint8Array, flags: number]> =
    library.func("int linkat(int, const uint8_t *, int, const uint8_t *, int)");
  const pread: NativeCall<[fd: number, into: Uint8Array, bytes: number, offset: number]> = library.func(
    "int64_t pread(int, uint8_t *, size_t, int64_t)",
  );
  const readlinkat: NativeCall<[directory: number, name: Uint8Array, into: Uint8Array, bytes: number]> = library.func(
    "int64_t readlinkat(int, const uint8_t *, uint8_t *, size_t)",
  );
  const close: NativeCall<[fd: number]> = library.func("int close(int)");
  const { attributesTaken, listAttributes } = bindList(library, { errno, failure });
  return {
    calls: {
      ...bindStat(library, errno),
      attributesTaken,
      openName({ directory, name }, flags, mode = 0) {
        const path = terminated(name);
        for (;;) {
          const fd = openat(directory, path, flags | O_CLOEXEC, mode);
          if (fd >= 0) return fd;
          if (errno() !== EINTR) throw failure("open");
        }
      },
      readLink: ({ directory, name }, into) => readlinkat(directory, terminated(name), into, into.length),
      openTaken: (directory, { bytes }, flags) => openat(directory, bytes, flags | O_CLOEXEC, 0),
      readAt: (fd, into, offsetBytes) => pread(fd, into, into.length, offsetBytes),
      close: (fd) => void close(fd),
      linkName(from, to) {
        const path = terminated(from.name, fromScratch);
        if (linkat(from.directory, path, to.directory, terminated(to.name), 0) === 0) return undefined;
        return getSystemErrorName(-errno());
      },
      renameName(from, to) {
        const path = terminated(from.name, fromScratch);
        if (renameat(from.directory, path, to.directory, terminated(to.name)) === 0) return;
        // By their paths once more, for the words of an error.
        renameSync(pathOfName(from), pathOfName(to));
      },
    },
    listAttributes,
  };
}

/** Where the C library has no such call, or a sandbox lets none pass, and for the words of an error: by the path. */
function bindStat(library: NativeLibrary, errno: () => number): Pick<Native, LookCalls> {
  const byPath = (place: NativeName): EntryStats | undefined => statPath(pathOfName(place));
  const statx = bound(() => library.func("int statx(int, const uint8_t *, int, uint32_t, uint8_t *)"));
  if (statx === undefined)
    return {
      statName: byPath,
      statOpen: statDescriptor,
      lookName: () => false,
      lookTaken: () => false,
      lookOpen: () => false,
    };
  const found = new StatxBuffer();
  const look = (directory: number, name: Uint8Array, into: StatxBuffer): boolean =>
    statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, into.bytes) === 0;
  return {
    lookName: (directory, name, into) => look(directory, terminated(name), into),
    lookTaken: (directory, { bytes }, into) => look(directory, bytes, into),
    lookOpen: (fd, into) => statx(fd, EMPTY, AT_EMPTY_PATH, STATX_BASIC_STATS, into.bytes) === 0,
    statName(place) {
      const { directory, name } = place;
      if (statx(directory, terminated(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, found.bytes) === 0)
        return found.take();
      return errno() === ENOENT ? undefined : byPath(place);
    },
    statOpen: (fd) =>
      statx(fd, EMPTY, AT_EMPTY_PATH, STATX_BASIC_STATS, found.bytes) === 0 ? found.take() : statDescriptor(fd),
  };
}

function bindList(library: NativeLibrary, { errno, failure }: Errors): ListCalls {
  const listxattrat = bound(() =>
    library.func("int64_t syscall(int64_t, int, const uint8_t *, uint32_t, uint8_t *, size_t)"),
  );
  let isThere = listxattrat !== undefined;
  // Without room for the list the system makes none, and tells its length alone.
  const attributesTaken = (directory: number, { bytes }: TakenName): number =>
    isThere ? (listxattrat?.(LISTXATTRAT, directory, bytes, AT_SYMLINK_NOFOLLOW, null, 0) ?? -1) : -1;
  const listAttributes: ListCalls["listAttributes"] = (place, list) => {
    if (!isThere || listxattrat === undefined) return -1;
    const listed = (bytes: number): number =>
      typeof place === "number"
        ? listxattrat(LISTXATTRAT, place, EMPTY, AT_EMPTY_PATH, list, bytes)
        : listxattrat(LISTXATTRAT, place.directory, terminated(place.name), AT_SYMLINK_NOFOLLOW, list, bytes);
    let length = listed(LIST_BYTES_USUAL);
    if (length < 0 && errno() === ERANGE) length = listed(list.length);
    if (length >= 0) return length;
    const number = errno();
    // What was opened with `O_PATH` is for paths alone.
    if (number === EBADF) return -1;
    // An older Linux, or a sandbox that does not know the call.
    if (number !== ENOSYS && number !== EPERM) throw failure("listxattr");
    isThere = false;
    return -1;
  };
  return { attributesTaken, listAttributes };
}

/** Undefined where the C library has no such call. */
export function bound<Bound>(bind: () => Bound): Bound | undefined {
  try {
    return bind();
  } catch {
    return undefined;
  }
}

export function pathOfName({ directory, name }: NativeName): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

const EMPTY = new Uint8Array(1);
const nameScratch = new TakenName();
const fromScratch = new TakenName();

/** The name as the system takes it, until the next one. */
function terminated(name: Uint8Array, scratch = nameScratch): Uint8Array {
  if (scratch.take(name)) return scratch.bytes;
  if (name.includes(0)) throw Object.assign(new Error("the name holds a NUL"), { code: "EINVAL" });
  throw Object.assign(new Error("the name is too long"), { code: "ENAMETOOLONG" });
}
