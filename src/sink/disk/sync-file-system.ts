import { isUtf8 } from "node:buffer";
import { closeSync, constants, openSync } from "node:fs";
import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import { loadNative } from "../../lib/disk/native.ts";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";

/** Loaded where there are no native calls only: a sink would start later by it. */
const programs = () => process.getBuiltinModule("node:child_process");
const PROGRAM_ENV = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C" };

/** Makes the disk have everything that was written to the file system of one folder. */
export interface FileSystemSync extends Disposable {
  /** @throws FanfoldError `disk-failed` when the disk did not take something since this was opened */
  sync(signal: AbortSignal): Promise<void>;
}

/**
 * syncfs(2), by a descriptor that is held from the beginning. The system reports a failed write once to each descriptor
 * that was open at that time. A descriptor that is opened later would not hear of it when somebody else synced in between.
 */
export function openFileSystemSync(folder: Buffer): FileSystemSync {
  const native = loadNative();
  const fd = native === undefined ? undefined : opened(folder);
  if (native === undefined || fd === undefined)
    return { sync: (signal) => syncByProgram(folder, signal), [Symbol.dispose]: () => undefined };
  /** Syncs that still have the descriptor, also when nobody waits for them any more. */
  let syncs = 0;
  let isOver = false;
  const closeWhenFree = (): void => {
    if (isOver && syncs === 0) closeSync(fd);
  };
  const syncOnce = async (): Promise<void> => {
    syncs += 1;
    try {
      await native.syncFileSystem(fd);
    } finally {
      syncs -= 1;
      closeWhenFree();
    }
  };
  return {
    async sync(signal) {
      try {
        throwIfAborted(signal);
        await abortable(syncOnce(), signal);
      } catch (thrown) {
        if (systemCode(thrown) === undefined) throw thrown;
        throw new FanfoldError(
          "disk-failed",
          `cannot sync the file system of "${shownPath(folder)}": ${reasonOf(thrown)}`,
          {
            cause: thrown,
          },
        );
      }
    },
    [Symbol.dispose]() {
      isOver = true;
      closeWhenFree();
    },
  };
}

/**
 * The same for a thread of the disk, which waits for it. `fd` is of the folder.
 *
 * @throws FanfoldError `disk-failed`; system errors
 */
export function syncFileSystemNow(fd: number): void {
  const native = loadNative();
  if (native !== undefined) {
    native.syncFileSystemNow(fd);
    return;
  }
  // All file systems: more than needed, and as good.
  const { status, error } = programs().spawnSync("sync", [], { env: PROGRAM_ENV });
  if (status !== 0) throw new FanfoldError("disk-failed", "cannot sync the file systems", { cause: error });
}

/** Undefined for a folder that is gone or may not be read: what is the matter shows elsewhere. */
function opened(folder: Buffer): number | undefined {
  try {
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
}

/** `sync -f`, which is the same call in a process of its own. */
async function syncByProgram(folder: Buffer, signal: AbortSignal): Promise<void> {
  // No program can be given a name that is not UTF-8.
  const failure = isUtf8(folder) ? await run("sync", ["-f", "--", folder.toString()], signal) : "invalid";
  if (failure === undefined) return;
  // A `sync` without -f (macOS, small systems) syncs everything, which is more than needed and as good.
  const whole = /usage|invalid|unrecognized|illegal/i.test(failure) ? await run("sync", [], signal) : failure;
  if (whole !== undefined)
    throw new FanfoldError("disk-failed", `cannot sync the file system of "${shownPath(folder)}": ${whole}`);
}

function run(program: string, options: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    programs().execFile(program, options, { signal, env: PROGRAM_ENV }, (error, _out, text) => {
      resolve(error === null ? undefined : text.trim() || reasonOf(error));
    });
  });
}
