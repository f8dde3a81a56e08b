import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { findProgram } from "../brokers/broker-programs.ts";
import { smallDisksAvailable } from "./small-disk.ts";

/** A file system whose directories say of no entry what it is, as with ext4 without `filetype`, some NFS and FUSE. */
export interface UntypedDisk extends Disposable {
  readonly path: string;
}

const PROGRAMS = ["mkfs.ext4", "losetup", "mount"] as const;

let available: boolean | undefined;

/** Whether there are loop devices and ext4 here; said aloud when not. */
export function untypedDisksAvailable(): boolean {
  available ??= findOut();
  return available;
}

function findOut(): boolean {
  const works =
    smallDisksAvailable() &&
    PROGRAMS.every((program) => findProgram(program) !== undefined) &&
    spawnSync("losetup", ["--find"]).status === 0;
  if (!works)
    console.warn("SKIPPED what needs directories without types: no loop device with ext4 can be mounted here");
  return works;
}

/** Mounts one at a new folder; `image` is the file that it lies in. @throws Error when it cannot be mounted */
export function mountUntypedDisk(path: string, image: string): UntypedDisk {
  mkdirSync(path, { recursive: true });
  run("truncate", "--size=64M", image);
  run("mkfs.ext4", "-q", "-F", "-b", "4096", "-O", "^filetype", image);
  run("mount", "-o", "loop", image, path);
  return { path, [Symbol.dispose]: () => void spawnSync("umount", ["--lazy", path]) };
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}
