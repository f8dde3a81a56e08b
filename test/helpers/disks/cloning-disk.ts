import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { findProgram } from "../brokers/broker-programs.ts";
import { smallDisksAvailable } from "./small-disk.ts";

/** File systems whose files can share content without sharing anything else. */
export const CLONING_DISKS = ["btrfs", "xfs"] as const;
type CloningKind = (typeof CLONING_DISKS)[number];

/** The least that each is made of. */
const IMAGE_SIZES: Readonly<Record<CloningKind, string>> = { btrfs: "256M", xfs: "320M" };

/** Whether one of this kind can be mounted here; said aloud when not. */
export function cloningDiskAvailable(kind: CloningKind): boolean {
  const works =
    smallDisksAvailable() && findProgram(`mkfs.${kind}`) !== undefined && spawnSync("losetup", ["--find"]).status === 0;
  if (!works) console.warn(`SKIPPED what needs ${kind}: it cannot be made and mounted here`);
  return works;
}

export interface CloningDisk extends Disposable {
  readonly path: string;
}

/** One in a sparse file; disposing unmounts it. @throws Error when it cannot be mounted */
export function mountCloningDisk(folder: string, kind: CloningKind): CloningDisk {
  const [image, path] = [`${folder}/${kind}.image`, `${folder}/${kind}`];
  mkdirSync(path, { recursive: true });
  run("truncate", `--size=${IMAGE_SIZES[kind]}`, image);
  run(`mkfs.${kind}`, "-q", image);
  run("mount", "-o", "loop", image, path);
  return { path, [Symbol.dispose]: () => void spawnSync("umount", ["--lazy", path]) };
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}
