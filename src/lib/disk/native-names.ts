import { renameSync } from "node:fs";
import { constants as osConstants } from "node:os";
import type Koffi from "koffi";
import { type EntryStats, statDescriptor, statPath } from "./entry-stats.ts";
import type { Native, NativeName } from "./native-calls.ts";
import { StatxBuffer } from "./statx-stats.ts";

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
const NAME_BYTES_MAX = 255;
/** Enough for most lists. Linux takes as much memory as it is offered before it looks, which for the most costs more than the call. */
const LIST_BYTES_USUAL = 1024;
const { EBADF, EINTR, ENOENT, ENOSYS, EPERM, ERANGE } = osConstants.errno;

type Library = ReturnType<typeof Koffi.load>;
type Call<Arguments extends readonly unknown[]> = (...values: Arguments) => number;

interface Errors {
  readonly errno: () => number;
  readonly failure: (syscall: string) => Error;
}

interface NameCalls {
  readonly calls: Pick<Native, "statName" | "statOpen" | "openName" | "close" | "renameName">;
  /** Fills `list` with names of attributes, and gives its length; negative when that is to be asked by a path instead. */
  readonly listAttributes: (place: NativeName | number, list: Buffer) => number;
}

export function bindNames(library: Library, { errno, failure }: Errors): NameCalls {
  // The last is one of `...` in C, which on the platforms that koffi knows is passed like any other.
  const openat: Call<[directory: number, name: Uint8Array, flags: number, mode: number]> = library.func(
    "int openat(int, const uint8_t *, int, uint32_t)",
  );
  const renameat: Call<[from: number, name: Uint8Array, to: number, name: Uint8Array]> = library.func(
    "int renameat(int, const uint8_t *, int, const uint8_t *)",
  );
  const close: Call<[fd: number]> = library.func("int close(int)");
  return {
    calls: {
      ...bindStat(library, errno),
      openName({ directory, name }, flags, mode = 0) {
        const path = terminated(name);
        for (;;) {
          const fd = openat(directory, path, flags | O_CLOEXEC, mode);
          if (fd >= 0) return fd;
          if (errno() !== EINTR) throw failure("open");
        }
      },
      close: (fd) => void close(fd),
      renameName(from, to) {
        const path = terminated(from.name, fromScratch);
        if (renameat(from.directory, path, to.directory, terminated(to.name)) === 0) return;
        // By their paths once more, for the words of an error.
        renameSync(pathOfName(from), pathOfName(to));
      },
    },
    listAttributes: bindList(library, { errno, failure }),
  };
}

/** Where the C library has no such call, or a sandbox lets none pass, and for the words of an error: by the path. */
function bindStat(library: Library, errno: () => number): Pick<Native, "statName" | "statOpen"> {
  const byPath = (place: NativeName): EntryStats | undefined => statPath(pathOfName(place));
  const statx = bound(() => library.func("int statx(int, const uint8_t *, int, uint32_t, uint8_t *)"));
  if (statx === undefined) return { statName: byPath, statOpen: statDescriptor };
  const found = new StatxBuffer();
  return {
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

function bindList(library: Library, { errno, failure }: Errors): NameCalls["listAttributes"] {
  const listxattrat = bound(() =>
    library.func("int64_t syscall(int64_t, int, const uint8_t *, uint32_t, uint8_t *, size_t)"),
  );
  let isThere = listxattrat !== undefined;
  return (place, list) => {
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
}

/** Undefined where the C library has no such call. */
export function bound<Call>(bind: () => Call): Call | undefined {
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
const nameScratch = new Uint8Array(NAME_BYTES_MAX + 1);
const fromScratch = new Uint8Array(NAME_BYTES_MAX + 1);

/** The name as the system takes it, until the next one. */
function terminated(name: Uint8Array, scratch = nameScratch): Uint8Array {
  if (name.length > NAME_BYTES_MAX) throw Object.assign(new Error("the name is too long"), { code: "ENAMETOOLONG" });
  // The system would take what stands before it for the whole.
  if (name.includes(0)) throw Object.assign(new Error("the name holds a NUL"), { code: "EINVAL" });
  scratch.set(name);
  scratch[name.length] = 0;
  return scratch;
}
