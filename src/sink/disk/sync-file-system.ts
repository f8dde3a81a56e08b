import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { abortable } from "../../lib/abort.ts";
import { loadNative } from "../../lib/disk/native.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";

/** Makes the disk have everything that was written to the file system of one folder. */
export interface FileSystemSync extends Disposable {
  /** @throws FanfoldError `disk-failed` when the disk did not take something since this was opened */
  sync(signal: AbortSignal): Promise<void>;
}

/**
 * syncfs(2), by a descriptor that is held from the beginning: a system tells a failed write to each descriptor that was open by
 * then, and once. A descriptor that is opened later would not hear of it when somebody else synced in between.
 */
export function openFileSystemSync(folder: string): FileSystemSync {
  const native = loadNative();
  const fd = native === undefined ? undefined : opened(folder);
  if (native === undefined || fd === undefined)
    return { sync: (signal) => syncByProgram(folder, signal), [Symbol.dispose]: () => undefined };
  return {
    async sync(signal) {
      try {
        await abortable(native.syncFileSystem(fd), signal);
      } catch (thrown) {
        if (systemCode(thrown) === undefined) throw thrown;
        const { message } = FanfoldError.from(thrown);
        throw new FanfoldError("disk-failed", `Sync the file system of "${folder}": ${message}`, { cause: thrown });
      }
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Undefined for a folder that is gone or may not be read: what is the matter shows elsewhere. */
function opened(folder: string): number | undefined {
  try {
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
}

/** `sync -f`, which is the same call in a process of its own. */
async function syncByProgram(folder: string, signal: AbortSignal): Promise<void> {
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
