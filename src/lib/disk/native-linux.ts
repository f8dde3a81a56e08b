import { constants as osConstants } from "node:os";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import type Koffi from "koffi";
import { joinDevice } from "./device-numbers.ts";
import type { EntryPlace, LockRange, Native, NativeName, NativePlace, NativeTime } from "./native-calls.ts";
import { bindReadNames } from "./native-directory.ts";
import { bindNames, type NativeCall, type NativeLibrary, pathOfName } from "./native-names.ts";

/*
 * The numbers below are those of Linux on every 64-bit platform that Node.js has. `time_t`, `off_t` and `size_t` are 64
 * bits wide there. Other platforms go without.
 */
const PLATFORMS: ReadonlySet<string> = new Set(["x64", "arm64", "riscv64", "loong64", "ppc64", "s390x"]);
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_OMIT = 0x3f_ff_ff_fen;
const SEEK_SET = 0;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** What Linux allows for the value of one attribute, and for the list of all names (`XATTR_SIZE_MAX`, `XATTR_LIST_MAX`). */
const ATTRIBUTE_BYTES_MAX = 64 * 1024;
/** The direction of an `ioctl` has another place there. */
const FICLONERANGE = process.arch === "ppc64" ? 0x8020_940d : 0x4020_940d;
const F_OFD_SETLK = 37;
const LOCK_TYPES = { read: 0, write: 1 } as const;
const { EACCES, EAGAIN, EBADF, ENODATA, ENXIO } = osConstants.errno;
const NUL = Buffer.alloc(1);

/** Binds the calls in the C library that this process runs with, glibc or musl. Throws where they are not. */
export function openLinuxCalls(koffi: typeof Koffi): Native {
  if (!PLATFORMS.has(process.arch)) throw new Error(`no native calls on ${process.arch}`);
  const library = koffi.load(null);
  const failure = (syscall: string): Error => systemError(koffi.errno(), syscall);
  const names = bindNames(library, { errno: koffi.errno, failure });
  const lseek: Seek = library.func("int64_t lseek(int, int64_t, int)");
  const rewind = (fd: number): void => {
    if (lseek(fd, 0, SEEK_SET) < 0) throw failure("lseek");
  };
  const native = {
    ...names.calls,
    ...bindSeek(lseek, koffi.errno),
    ...bindReadNames(library, { rewind, failure }),
    ...bindTimes(library, koffi.errno),
    ...bindAttributes(library, koffi.errno, names.listAttributes),
    ...bindLocks(library, koffi.errno),
    ...bindSharing(library),
  };
  const mknod = bindMakeNode(library);
  const syncfs = library.func("int syncfs(int)");
  return {
    ...native,
    makeNode(path, mode, device) {
      if (mknod(terminated(path), mode, device === undefined ? 0n : joinDevice(device)) !== 0) throw failure("mknod");
    },
    syncFileSystemNow(fd) {
      if (syncfs(fd) !== 0) throw failure("syncfs");
    },
    syncFileSystem: (fd) =>
      new Promise((resolve, reject) => {
        // The error number of the thread that called is set for the time of this callback.
        syncfs.async(fd, (error: unknown, result: number) => {
          if (error === null && result === 0) resolve();
          else reject(error ?? failure("syncfs"));
        });
      }),
  };
}

type Seek = NativeCall<[fd: number, offset: number, whence: number]>;

function bindSeek(lseek: Seek, errno: () => number): Pick<Native, "seekData" | "seekHole"> {
  return {
    seekData(fd, offsetBytes) {
      const found = lseek(fd, offsetBytes, SEEK_DATA);
      if (found >= 0) return found;
      const number = errno();
      if (number === ENXIO) return undefined;
      throw systemError(number, "lseek");
    },
    seekHole(fd, offsetBytes) {
      const found = lseek(fd, offsetBytes, SEEK_HOLE);
      if (found >= 0) return found;
      throw systemError(errno(), "lseek");
    },
  };
}

function bindTimes(library: NativeLibrary, errno: () => number): Pick<Native, "setTimes"> {
  const utimensat: NativeCall<[directory: number, path: Uint8Array, times: BigInt64Array, flags: number]> =
    library.func("int utimensat(int, const uint8_t *, const int64_t *, int)");
  const futimens: NativeCall<[fd: number, times: BigInt64Array]> = library.func("int futimens(int, const int64_t *)");
  const times = new BigInt64Array(4);
  return {
    setTimes(place: NativePlace, { seconds, nanoseconds }: NativeTime, atime?: NativeTime) {
      times[0] = BigInt(atime?.seconds ?? 0);
      times[1] = atime === undefined ? UTIME_OMIT : BigInt(atime.nanoseconds);
      times[2] = BigInt(seconds);
      times[3] = BigInt(nanoseconds);
      if (typeof place === "number") {
        if (futimens(place, times) === 0) return;
        // What was opened with `O_PATH` has times, and takes none by its descriptor.
        if (errno() !== EBADF) throw systemError(errno(), "futimens");
      }
      const flags = typeof place === "number" ? 0 : AT_SYMLINK_NOFOLLOW;
      if (utimensat(AT_FDCWD, pathOf(place), times, flags) !== 0) throw systemError(errno(), "utimensat");
    },
  };
}

function bindLocks(library: NativeLibrary, errno: () => number): Pick<Native, "lockRange"> {
  const fcntl: NativeCall<[fd: number, command: number, type: string, lock: BigInt64Array]> =
    library.func("int fcntl(int, int, ...)");
  return {
    lockRange(fd, { kind, startBytes, lengthBytes }: LockRange) {
      // struct flock: type and whence (from the beginning: 0) of 16 bits each, then start, length and a process id that stays 0.
      const lock = new BigInt64Array([0n, BigInt(startBytes), BigInt(lengthBytes), 0n]);
      new Int16Array(lock.buffer)[0] = LOCK_TYPES[kind];
      if (fcntl(fd, F_OFD_SETLK, "void *", lock) === 0) return true;
      const number = errno();
      if (number === EAGAIN || number === EACCES) return false;
      throw systemError(number, "fcntl");
    },
  };
}

function bindSharing(library: NativeLibrary): Pick<Native, "shareRange"> {
  const ioctl: NativeCall<[fd: number, request: number, range: BigInt64Array]> = library.func(
    "int ioctl(int, unsigned long, const int64_t *)",
  );
  return {
    // struct file_clone_range: the file, where the range begins and how long it is, and where it goes.
    shareRange: (from, to, lengthBytes) =>
      ioctl(to.fd, FICLONERANGE, BigInt64Array.from([from.fd, from.offset, lengthBytes, to.offset], BigInt)) === 0,
  };
}

type AttributeCalls = Pick<Native, "listAttributes" | "getAttribute" | "setAttribute" | "removeAttribute">;

function bindAttributes(
  library: NativeLibrary,
  errno: () => number,
  listOfName: (place: NativeName | number, list: Buffer) => number,
): AttributeCalls {
  const both = <Rest extends readonly unknown[]>(name: string, rest: string, result: string) => {
    const following: NativeCall<[Buffer, ...Rest]> = library.func(`${result} ${name}(const uint8_t *${rest})`);
    const notFollowing: NativeCall<[Buffer, ...Rest]> = library.func(`${result} l${name}(const uint8_t *${rest})`);
    return (place: EntryPlace, ...values: Rest): number =>
      (typeof place === "number" ? following : notFollowing)(pathOf(place), ...values);
  };
  const list = both<[Buffer, number]>("listxattr", ", uint8_t *, size_t", "int64_t");
  const get = both<[Buffer, Buffer, number]>("getxattr", ", const uint8_t *, uint8_t *, size_t", "int64_t");
  const set = both<[Buffer, Uint8Array, number, number]>(
    "setxattr",
    ", const uint8_t *, const uint8_t *, size_t, int",
    "int",
  );
  const remove = both<[Buffer]>("removexattr", ", const uint8_t *", "int");
  const scratch = Buffer.alloc(ATTRIBUTE_BYTES_MAX);
  return {
    listAttributes(place) {
      let length = typeof place === "number" || "directory" in place ? listOfName(place, scratch) : -1;
      if (length < 0) length = list(place, scratch, scratch.length);
      if (length < 0) throw systemError(errno(), "listxattr");
      if (length === 0) return [];
      return namesIn(scratch.subarray(0, length));
    },
    getAttribute(place, name) {
      const length = get(place, terminated(name), scratch, scratch.length);
      if (length >= 0) return Buffer.from(scratch.subarray(0, length));
      const number = errno();
      if (number === ENODATA) return undefined;
      throw systemError(number, "getxattr");
    },
    setAttribute(place, name, value) {
      if (set(place, terminated(name), value, value.length, 0) !== 0) throw systemError(errno(), "setxattr");
    },
    removeAttribute(place, name) {
      if (remove(place, terminated(name)) === 0) return;
      const number = errno();
      if (number !== ENODATA) throw systemError(number, "removexattr");
    },
  };
}

/** `mknod` is a symbol of its own since glibc 2.33; without it nothing else is missed. */
function bindMakeNode(library: NativeLibrary): NativeCall<[path: Uint8Array, mode: number, device: bigint]> {
  try {
    return library.func("int mknod(const uint8_t *, uint32_t, uint64_t)");
  } catch {
    return () => {
      throw systemError(osConstants.errno.ENOSYS, "mknod");
    };
  }
}

/** Names in the list of the system: each ends with a NUL. */
function namesIn(list: Buffer): Buffer[] {
  const names: Buffer[] = [];
  for (let from = 0; from < list.length; ) {
    const end = list.indexOf(0, from);
    const to = end === -1 ? list.length : end;
    names.push(Buffer.from(list.subarray(from, to)));
    from = to + 1;
  }
  return names;
}

/** By this path also what was opened with `O_PATH` is reached, a link itself too, for which the calls by descriptor fail. */
function pathOf(place: EntryPlace): Buffer {
  if (typeof place === "number") return Buffer.from(`/proc/self/fd/${place}\0`);
  return terminated("directory" in place ? pathOfName(place) : place);
}

function terminated(bytes: Uint8Array): Buffer {
  // The system would take what stands before it for the whole.
  if (bytes.includes(0)) throw systemError(osConstants.errno.EINVAL, "open");
  return Buffer.concat([bytes, NUL]);
}

function systemError(errno: number, syscall: string): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${getSystemErrorMessage(-errno)}, ${syscall}`), {
    code,
    errno: -errno,
    syscall,
  });
}
