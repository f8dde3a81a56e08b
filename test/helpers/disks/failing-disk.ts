import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { findProgram } from "../brokers/broker-programs.ts";
import { mountSmallDisk, smallDisksAvailable } from "./small-disk.ts";

/** A file system that takes what is written, and whose disk then fails for a part of it. */
export interface FailingDisk extends Disposable {
  readonly path: string;
  /** Ends its journal, as a fault of its disk would: from now on it is read-only (EROFS), whoever has files open in it. */
  abort(): void;
  /** Mounts what is on the disk again, with room for it and after a check, as a person would. */
  repair(): void;
}

const PROGRAMS = ["mkfs.ext4", "e2fsck", "losetup", "mount"] as const;

let available: boolean | undefined;

/** Whether there are loop devices and ext4 here; said aloud when not. */
export function failingDisksAvailable(): boolean {
  available ??= findOut();
  return available;
}

function findOut(): boolean {
  const works =
    smallDisksAvailable() &&
    PROGRAMS.every((program) => findProgram(program) !== undefined) &&
    spawnSync("losetup", ["--find"]).status === 0;
  if (!works) console.warn("SKIPPED what needs a disk that fails: no loop device with ext4 can be mounted here");
  return works;
}

/**
 * An ext4 of 64 MiB in a sparse file, on a tmpfs with room for `mib` of it: as soon as the kernel writes out more than that,
 * it meets an error. With 80 it has room for all of it.
 */
export function mountFailingDisk(folder: string, mib: number): FailingDisk {
  mkdirSync(folder);
  const backing = mountSmallDisk(`${folder}/backing`, mib);
  const [image, mended, path] = [`${backing.path}/image`, `${backing.path}/mended`, `${folder}/disk`];
  mkdirSync(path);
  run("truncate", "--size=64M", image);
  run("mkfs.ext4", "-q", "-F", "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0", image);
  run("mount", "-o", "loop", image, path);
  return {
    path,
    abort: () => run("mount", "-o", "remount,abort", path),
    repair() {
      run("umount", path);
      run("mount", "-o", "remount,size=160m", backing.path);
      // Another disk with what is on this one: where some process of another mount namespace still has it mounted, the kernel
      // would give the same file system again, as broken as it is.
      run("cp", "--sparse=always", image, mended);
      // 1: it found errors and mended them.
      spawnSync("e2fsck", ["-fy", mended]);
      run("mount", "-o", "loop", mended, path);
    },
    [Symbol.dispose]() {
      spawnSync("umount", ["--lazy", path]);
      backing[Symbol.dispose]();
    },
  };
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}
