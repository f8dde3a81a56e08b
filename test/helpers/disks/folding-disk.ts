import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../brokers/broker-programs.ts";

/** A file system that takes names of other case as one. */
export interface FoldingDisk extends Disposable {
  readonly path: string;
}

interface Kind {
  readonly programs: readonly string[];
  /** Makes it from an image and mounts it at `path`; false when that does not work here. */
  readonly mount: (image: string, path: string) => boolean;
}

const IMAGE_MIB = 32;

/** Of the kernel, or in user space: there the number of an inode may be that of a name. */
const KINDS: Readonly<Record<string, Kind>> = {
  vfat: {
    programs: ["mkfs.vfat"],
    mount: (image, path) => run("mkfs.vfat", image) && run("mount", "-t", "vfat", "-o", "loop,utf8", image, path),
  },
  "exfat in user space": {
    programs: ["mkfs.exfat", "mount.exfat-fuse"],
    mount: (image, path) => run("mkfs.exfat", image) && mountByLoop(image, path),
  },
  "ntfs in user space": {
    programs: ["mkfs.ntfs", "lowntfs-3g"],
    mount: (image, path) =>
      run("mkfs.ntfs", "-F", "-q", image) && run("lowntfs-3g", "-o", "ignore_case,streams_interface=none", image, path),
  },
  "tmpfs with casefold": {
    programs: ["chattr"],
    mount: (_, path) =>
      run("mount", "-t", "tmpfs", "-o", "casefold", "tmpfs", path) && (run("chattr", "+F", path) || !unmount(path)),
  },
};

/** Those that can be made here; each that cannot is said aloud. Root is needed for all of them. */
export function foldingKinds(): readonly string[] {
  known ??= Object.keys(KINDS).filter((kind) => {
    try {
      mountFolding(kind)[Symbol.dispose]();
      return true;
    } catch {
      console.warn(`SKIPPED a folder that folds names: ${kind} cannot be mounted here`);
      return false;
    }
  });
  return known;
}

let known: readonly string[] | undefined;

/** @throws Error when it cannot be mounted */
export function mountFolding(kind: string): FoldingDisk {
  const made = KINDS[kind];
  const home = mkdtempSync(join(tmpdir(), "fanfold-fold-"));
  const [image, path] = [join(home, "image"), join(home, "mnt")];
  mkdirSync(path);
  writeFileSync(image, "");
  const isThere = process.getuid?.() === 0 && made?.programs.every((program) => findProgram(program) !== undefined);
  const isMounted =
    isThere === true && run("truncate", "-s", `${IMAGE_MIB}M`, image) && made?.mount(image, path) === true;
  const dispose = (): void => {
    if (isMounted) unmount(path);
    rmSync(home, { recursive: true, force: true });
  };
  if (isMounted && folds(path)) return { path, [Symbol.dispose]: dispose };
  dispose();
  throw new Error(`cannot mount ${kind}, or it does not fold names`);
}

function folds(path: string): boolean {
  mkdirSync(join(path, "Probe"));
  const found = existsSync(join(path, "pROBE"));
  rmdirSync(join(path, "Probe"));
  return found;
}

/** Its driver takes block devices only. The loop device goes with the mount. */
function mountByLoop(image: string, path: string): boolean {
  const { status, stdout } = spawnSync("losetup", ["--find", "--show", image], { encoding: "utf8" });
  if (status !== 0) return false;
  const device = stdout.trim();
  const isMounted = run("mount.exfat-fuse", device, path);
  spawnSync("losetup", ["--detach", device]);
  return isMounted;
}

function unmount(path: string): boolean {
  return run("umount", path) || run("umount", "--lazy", path);
}

function run(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}
