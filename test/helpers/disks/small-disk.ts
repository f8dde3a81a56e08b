import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { findProgram } from "../brokers/broker-programs.ts";

/** A file system of a few MiB of its own. */
export interface SmallDisk extends Disposable {
  readonly path: string;
  setReadOnly(readOnly: boolean): void;
}

/**
 * Whether file systems can be mounted here: for `test.skipIf(!smallDisksAvailable())`. Said aloud when not. It needs root
 * and a system that lets it mount, which a container usually has not.
 */
export function smallDisksAvailable(): boolean {
  available ??= findOut();
  return available;
}

let available: boolean | undefined;

function findOut(): boolean {
  const works =
    process.getuid?.() === 0 &&
    findProgram("unshare") !== undefined &&
    spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]).status === 0;
  if (!works) console.warn("SKIPPED what needs a small file system: tmpfs cannot be mounted here");
  return works;
}

/** Mounts a tmpfs of this size at a new folder; disposing unmounts it. @throws Error when it cannot be mounted */
export function mountSmallDisk(path: string, mib: number): SmallDisk {
  mkdirSync(path);
  mount("-t", "tmpfs", "-o", `size=${mib}m,mode=755`, "tmpfs", path);
  return {
    path,
    setReadOnly: (readOnly) => mount("-o", `remount,${readOnly ? "ro" : "rw"}`, path),
    // Lazily: whoever still has a file open there keeps it, and the name is free.
    [Symbol.dispose]: () => void spawnSync("umount", ["--lazy", path]),
  };
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}
