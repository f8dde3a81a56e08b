import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { memoryFolder } from "../disks/temp-folder.ts";

/** Maps a file, and writes to it once more when it is told to: on a file system in memory that leaves its times alone. */
const MAPPED_WRITER = `
import mmap, os, sys, time
path, go, done = sys.argv[1:]
mapped = mmap.mmap(os.open(path, os.O_RDWR), 0)
mapped[0] = 1
print("mapped", flush=True)
while not os.path.exists(go): time.sleep(0.005)
mapped[0] = 2
open(done, "w").close()
`;

/** The file is mapped from now on; what is returned changes its first byte, and none of its times. */
export async function mapFile(path: string): Promise<() => void> {
  const signs = memoryFolder();
  const [go, done] = [join(signs, "go"), join(signs, "done")];
  const child = spawn("python3", ["-c", MAPPED_WRITER, path, go, done]);
  onTestFinished(() => void child.kill());
  await once(child.stdout, "data");
  return () => {
    writeFileSync(go, "");
    const wait = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(done) && child.exitCode === null) Atomics.wait(wait, 0, 0, 5);
  };
}
