import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

/** Files as they come together from the network: all of one size, numbered through. */
export interface Batch {
  readonly firstFile: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** One way of storing batches. */
export interface BatchWriter {
  /** Another process that does the work. */
  readonly pid?: number | undefined;
  /** Resolves when every file of the batch has its name. */
  write(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

export const FILE_BYTES = 2000;
export const FILES_PER_BATCH = Math.floor((1024 * 1024) / FILE_BYTES);
export const FILES_PER_DIRECTORY = 100;
export const MODE = 0o640;
export const TIME_SECONDS = 1_700_000_000;
export const CREATE_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** An empty folder with the directories that the files will go to. */
export function makeFolders(folder: string, files: number): void {
  mkdirSync(join(folder, "partial"));
  for (let index = 0; index * FILES_PER_DIRECTORY < files; index += 1) mkdirSync(join(folder, `d${index}`));
}

/** Where a folder is reached by its descriptor, as the sink does it. */
export class OpenFolder implements Disposable {
  readonly #fd: number;

  constructor(folder: string) {
    this.#fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  partial(file: number): string {
    return `/proc/self/fd/${this.#fd}/partial/${file}`;
  }

  final(file: number): string {
    return `/proc/self/fd/${this.#fd}/d${Math.floor(file / FILES_PER_DIRECTORY)}/f${file}`;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
