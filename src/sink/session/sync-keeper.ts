import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { folderGone } from "../disk/entry-problem.ts";
import { identityAt } from "../disk/file-facts.ts";
import { type FileSystemSync, openFileSystemSync } from "../disk/sync-file-system.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import { MARGIN_MS } from "../own/sync-mark.ts";

/** After so much is stored, or so long after the first byte of it, the disk is made to have it. */
const SYNC_BYTES = 1024 * 1024 * 1024;
const SYNC_MS = 30_000;
const LOOK_MS = 1_000;

interface SyncKeeperOptions {
  readonly folder: Pick<SinkFolder, "path" | "syncedBefore" | "markSynced">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onFailure: (error: FanfoldError) => void;
  /** False: nothing is synced, and what is written from now on stays behind the mark. @default true */
  readonly isSynced?: boolean;
  /** Opens what syncs the file system of the folder; given for tests. */
  readonly openSync?: (folder: Buffer) => FileSystemSync;
}

/** Syncs the file system now and then while files are stored, and at the end, and remembers up to when (D12). */
export class SyncKeeper implements Disposable {
  readonly #options: SyncKeeperOptions;
  /** Undefined: the disk has what is written when the system thinks fit. */
  readonly #sync: FileSystemSync | undefined;
  readonly #timer: Disposable;
  readonly #identity: string | undefined;
  #bytes = 0;
  #sinceMs: number | undefined;
  #syncing = false;

  constructor(options: SyncKeeperOptions) {
    this.#options = options;
    const { isSynced = true, openSync = openFileSystemSync } = options;
    this.#sync = isSynced ? openSync(options.folder.path) : undefined;
    this.#identity = identityAt(options.folder.path);
    this.#timer = options.clock.every(LOOK_MS, () => this.#look());
  }

  /** So much was stored. */
  stored(bytes: number): void {
    this.#bytes += bytes;
    this.#sinceMs ??= this.#options.clock.nowMs();
  }

  /**
   * Syncs what is left, unless nothing is to be synced. From here on nothing is written.
   *
   * @throws FanfoldError `disk-failed`; `folder-missing` when the folder is not where it was
   */
  async finish(): Promise<void> {
    const { folder, clock, signal } = this.#options;
    this.#timer[Symbol.dispose]();
    const beganMs = clock.date().getTime();
    await this.#sync?.sync(signal);
    const identity = identityAt(folder.path);
    if (identity === undefined || identity !== this.#identity) throw folderGone();
    if (this.#sync === undefined) return;
    // The margin is for what is written meanwhile: nothing is.
    folder.markSynced(beganMs + MARGIN_MS);
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#sync?.[Symbol.dispose]();
  }

  #look(): void {
    const { clock, folder, onFailure } = this.#options;
    const nowMs = clock.date().getTime();
    try {
      // The clock was set back: new files would look older than the mark.
      if (nowMs + MARGIN_MS < folder.syncedBefore) folder.markSynced(nowMs);
    } catch (thrown) {
      onFailure(FanfoldError.from(thrown));
      return;
    }
    if (this.#sync === undefined || this.#syncing || this.#sinceMs === undefined) return;
    if (this.#bytes < SYNC_BYTES && clock.nowMs() - this.#sinceMs < SYNC_MS) return;
    this.#bytes = 0;
    this.#sinceMs = undefined;
    this.#syncing = true;
    this.#sync
      .sync(this.#options.signal)
      .then(
        () => markIfPossible(folder, nowMs),
        (thrown: unknown) => {
          if (!this.#options.signal.aborted) onFailure(FanfoldError.from(thrown));
        },
      )
      .finally(() => {
        this.#syncing = false;
      });
  }
}

/** A disk that is full takes no mark: the one before it stays, which is on the safe side. */
function markIfPossible(folder: SyncKeeperOptions["folder"], beforeMs: number): void {
  try {
    folder.markSynced(beforeMs);
  } catch {
    // As above.
  }
}
