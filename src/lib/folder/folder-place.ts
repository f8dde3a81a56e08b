import { createHash } from "node:crypto";
import { closeSync, constants, lstatSync, openSync, readFileSync } from "node:fs";

/*
 * Where a directory stands on this machine. By it two processes see whether their directories are the same, or one lies in
 * the other. The path, link or mount that each of them used does not matter.
 *
 * A directory has two names: its device and inode, and its file system with the path in it. Only the second one shows what
 * is above a bind-mounted directory in its file system. It needs `/proc`.
 *
 * Names are hashed with the id of this boot of the machine. So equal numbers on two machines are two names, and a name tells nobody else
 * anything. Without such an id there are no names.
 */

/** Hex digits of a name. */
const NAME_CHARS = 32;
/** Opens a directory that may not be read, too. Node.js has no name for it; this is Linux's. */
const O_PATH = 0o10000000;
const SLASH = 0x2f;

/** Which names a directory has; `path` is canonical. */
export function placeOf(path: Uint8Array, bootId: string | undefined): readonly string[] {
  return bootId === undefined ? [] : new PlaceNames(bootId).of(path);
}

/** The names of a directory and of all that are above it, the nearest first; `path` is canonical. */
export function placesUpTo(path: Uint8Array, bootId: string | undefined): readonly string[] {
  return bootId === undefined ? [] : new PlaceNames(bootId).upwardsFrom(path);
}

/** Whether a directory of these names is one of those, or one that the other lies in. */
export function isAmong(place: readonly string[], places: readonly string[]): boolean {
  return place.some((name) => places.includes(name));
}

interface Mount {
  /** Of the file system, as the system writes it: `8:1`. */
  readonly device: string;
  /** Path in the file system of what is mounted. */
  readonly root: string;
  readonly point: string;
}

/** Paths are bytes; in strings each byte is one character. */
class PlaceNames {
  readonly #bootId: string;
  readonly #mounts = readMounts();

  constructor(bootId: string) {
    this.#bootId = bootId;
  }

  of(path: Uint8Array): string[] {
    const inFileSystem = this.#inFileSystem(path);
    return [...this.#byInode(path), ...(inFileSystem === undefined ? [] : [this.#byPath(inFileSystem)])];
  }

  upwardsFrom(path: Uint8Array): string[] {
    const all = [...upwards(path)];
    const names = all.flatMap((each) => this.of(each));
    const above = all.flatMap((each) => {
      const inFileSystem = this.#inFileSystem(each);
      if (inFileSystem === undefined) return [];
      return [...upwards(Buffer.from(inFileSystem.path, "latin1"))].map((parent) =>
        this.#byPath({ ...inFileSystem, path: Buffer.from(parent).toString("latin1") }),
      );
    });
    return [...new Set([...names, ...above])];
  }

  #byInode(path: Uint8Array): string[] {
    const stats = lstatSync(Buffer.from(path), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? [] : [this.#name("inode", String(stats.dev), String(stats.ino))];
  }

  #byPath({ device, path }: { readonly device: string; readonly path: string }): string {
    return this.#name("path", device, path);
  }

  #inFileSystem(path: Uint8Array): { readonly device: string; readonly path: string } | undefined {
    const mount = this.#mounts.get(mountIdOf(path) ?? "");
    const text = Buffer.from(path).toString("latin1");
    const point = mount?.point === "/" ? "" : mount?.point;
    if (mount === undefined || point === undefined || !`${text}/`.startsWith(`${point}/`)) return undefined;
    const below = text.slice(point.length).replace(/^\/+/, "");
    const root = mount.root === "/" ? "" : mount.root;
    return { device: mount.device, path: below === "" ? mount.root : `${root}/${below}` };
  }

  #name(...parts: readonly string[]): string {
    const said = [this.#bootId, ...parts].join("\0");
    return createHash("sha256").update(said, "latin1").digest("hex").slice(0, NAME_CHARS);
  }
}

/** A canonical path, and those of all directories above it. */
function* upwards(path: Uint8Array): Generator<Uint8Array, void, undefined> {
  yield path;
  for (let slash = path.lastIndexOf(SLASH); path.length > 1 && slash >= 0; slash = path.lastIndexOf(SLASH, slash - 1)) {
    yield path.subarray(0, Math.max(1, slash));
    if (slash === 0) return;
  }
}

/** Which mount a directory is reached by: of several at one point the path alone does not tell. */
function mountIdOf(path: Uint8Array): string | undefined {
  try {
    const fd = openSync(Buffer.from(path), O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** By their ids; none where the system does not tell. proc_pid_mountinfo(5) has the columns. */
function readMounts(): ReadonlyMap<string, Mount> {
  const mounts = new Map<string, Mount>();
  try {
    for (const line of readFileSync("/proc/self/mountinfo", "latin1").split("\n")) {
      const [id, , device, root, point] = line.split(" ");
      if (id === undefined || device === undefined || root === undefined || point === undefined) continue;
      mounts.set(id, { device, root: unescaped(root), point: unescaped(point) });
    }
  } catch {
    // Then directories have the other name alone.
  }
  return mounts;
}

/** Spaces, tabs, newlines and backslashes stand there as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
