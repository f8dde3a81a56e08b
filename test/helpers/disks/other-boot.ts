import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";
/** In a name space of mounts of its own, so that nobody else sees it; the program takes the place of the shell. */
const WITH_BOOT = `mount --bind "$0" ${BOOT_ID} && exec "$@"`;

/** Words to put before a command that is to believe in another boot of the machine, which is named by this file's content. */
export function underBoot(file: string, bootId: string): readonly string[] {
  writeFileSync(file, `${bootId}\n`);
  return ["unshare", "--mount", "sh", "-c", WITH_BOOT, file];
}

/** Whether that can be had here: for `test.skipIf(!otherBootsAvailable())`. It needs root on Linux; said aloud when not. */
export function otherBootsAvailable(): boolean {
  available ??= findOut();
  return available;
}

let available: boolean | undefined;

function findOut(): boolean {
  const works = spawnSync("unshare", ["--mount", "sh", "-c", WITH_BOOT, "/dev/null", "true"]).status === 0;
  if (!works)
    console.warn("SKIPPED what needs another boot of the machine: no mount over its boot id can be made here");
  return works;
}
