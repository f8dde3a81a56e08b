import { statfs } from "node:fs";
import { promisify } from "node:util";
import type { Clock } from "../../lib/clock.ts";
import type { Space } from "../../protocol/messages/control.ts";
import { spaceOf } from "../disk/space.ts";

/** How often the system is asked. */
const LOOK_EVERY_MS = 10_000;
/** Less than this is no news. */
const NEWS_BYTES = 1024 * 1024;
/** Told again without news this often: what was told may not have arrived. */
const TELL_EVERY_MS = 60_000;

interface SpaceWatchOptions {
  readonly folder: Uint8Array;
  readonly clock: Clock;
  /** @default statfs */
  readonly look?: (folder: Uint8Array) => Promise<Space | undefined>;
}

/**
 * How much space the file system of a folder has. The system is asked apart from the thread that does the work, and not
 * again before it has answered. So a disk that hangs holds nobody up.
 */
export class SpaceWatch {
  readonly #options: SpaceWatchOptions;
  #space: Space | undefined;
  #told: Space | undefined;
  #toldAtMs = 0;
  #looking = false;
  #listener: ((space: Space) => void) | undefined;

  constructor(options: SpaceWatchOptions) {
    this.#options = options;
  }

  /** As it was found last. */
  get space(): Space | undefined {
    return this.#space;
  }

  /** Looks now. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { folder, look = lookAt } = this.#options;
    try {
      this.#space = await look(folder);
    } catch {
      // For people only; what writes into the folder says what is wrong with it.
    } finally {
      this.#looking = false;
    }
  }

  /** Looks now and then until it is disposed, and tells what is news to who knows what was found last. */
  watch(tell: (space: Space) => void): Disposable {
    const { clock } = this.#options;
    this.#told = this.#space;
    this.#toldAtMs = clock.nowMs();
    this.#listener = tell;
    const looking = clock.every(LOOK_EVERY_MS, () => void this.lookAndTell());
    return {
      [Symbol.dispose]: () => {
        looking[Symbol.dispose]();
        this.#listener = undefined;
      },
    };
  }

  /** Looks now, and tells what is news to who watches. Never rejects. */
  async lookAndTell(): Promise<void> {
    await this.look();
    this.#tell();
  }

  #tell(): void {
    const space = this.#space;
    const nowMs = this.#options.clock.nowMs();
    if (space === undefined || !(isNews(space, this.#told) || nowMs - this.#toldAtMs >= TELL_EVERY_MS)) return;
    this.#told = space;
    this.#toldAtMs = nowMs;
    this.#listener?.(space);
  }
}

function isNews(space: Space, told: Space | undefined): boolean {
  if (told === undefined || told.sizeBytes !== space.sizeBytes) return true;
  return Math.abs(told.freeBytes - space.freeBytes) >= NEWS_BYTES;
}

async function lookAt(folder: Uint8Array): Promise<Space | undefined> {
  return spaceOf(await promisify(statfs)(Buffer.from(folder)));
}
