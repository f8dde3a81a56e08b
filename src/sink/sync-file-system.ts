import { execFile } from "node:child_process";
import { FanfoldError } from "../lib/errors.ts";

/**
 * Waits until everything written to the file system of `folder` is on its disk: `sync -f`, which is syncfs(2), because
 * Node has neither syncfs nor a cheap fsync of 100,000 files.
 *
 * @throws FanfoldError `disk-failed` when the disk did not take it
 */
export async function syncFileSystem(folder: string, signal: AbortSignal): Promise<void> {
  const failure = await run("sync", ["-f", "--", folder], signal);
  if (failure === undefined) return;
  // A `sync` without -f (macOS, small systems) syncs everything, which is more than needed and as good.
  const whole = /usage|invalid|unrecognized|illegal/i.test(failure) ? await run("sync", [], signal) : failure;
  if (whole !== undefined) throw new FanfoldError("disk-failed", `Sync the file system of "${folder}": ${whole}`);
}

function run(program: string, options: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      program,
      options,
      { signal, env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" } },
      (error, _out, text) => {
        resolve(error === null ? undefined : text.trim() || error.message);
      },
    );
  });
}
