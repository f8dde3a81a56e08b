import { closeSync, constants, fstatSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename } from "node:path";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { pathIn } from "../../lib/folder/file-path.ts";
import { makeDirectories } from "../../lib/folder/make-directories.ts";
import { writePrivateFile } from "../../lib/folder/private-file.ts";
import { systemRandom } from "../../lib/random.ts";
import { blake3 } from "../../protocol/hash/blake3.ts";
import { parentOf } from "../../protocol/names/relative-path.ts";
import { type CutFileKey, decodeRecord, encodeRecord, type KnownRecipe, RECORD_BYTES_MAX } from "./recipe-record.ts";

/** Those of about 100 GiB of smaller files, or of a hundred files of any size that are cut by content. */
const RECIPES_BYTES_MAX = 64 * 1024 * 1024;
/** A smaller file is read in less time than is worth a look. */
const FILE_BYTES_MIN = 16 * 1024 * 1024;
/**
 * Who has mapped a file may write to it without a change of its times, until the system has written it to the disk: within about
 * 35 s. So a file that was changed less than this before it was cut is not remembered.
 */
const SETTLED_MS = 60_000;

/** A file that is to be found. */
interface SoughtFile {
  readonly size: number;
  /** Of its content, when it was read in this session. */
  readonly contentHash: Uint8Array | undefined;
}

interface RecipeMemoryOptions {
  readonly bytesMax?: number;
  readonly clock?: Pick<Clock, "date">;
}

/** The recipes of all trees lie in one folder. */
interface RecipesPlace {
  readonly folder: Buffer;
  /** Tells a tree from others. */
  readonly tree: string;
}

/** Where those of a tree are whose content hashes are remembered at this path. */
export function recipesPlace(hashes: Buffer): RecipesPlace {
  const folder = Buffer.from(parentOf(parentOf(hashes)));
  return { folder: pathIn(folder, "recipes"), tree: basename(hashes.toString("latin1")) };
}

/**
 * The recipes of large files that a source has cut: a file that looks as it did then need not be read for its recipe. Device, inode,
 * size and both times have to be what they were. Each is a file of its own, and the oldest go when they are too many.
 *
 * It only saves work. What cannot be read or written, or is damaged, is not known.
 */
export class RecipeMemory {
  readonly #place: RecipesPlace;
  readonly #bytesMax: number;
  readonly #clock: Pick<Clock, "date">;

  constructor(place: RecipesPlace, { bytesMax = RECIPES_BYTES_MAX, clock = systemClock }: RecipeMemoryOptions = {}) {
    this.#place = place;
    this.#bytesMax = bytesMax;
    this.#clock = clock;
  }

  find(key: CutFileKey, { size, contentHash }: SoughtFile): KnownRecipe | undefined {
    if (size < FILE_BYTES_MIN) return undefined;
    return spared(() => {
      const record = readRecord(this.#fileOf(key));
      const known = record && decodeRecord(record, key);
      const isIt =
        contentHash === undefined || known?.contentHash.every((byte, at) => byte === contentHash[at]) === true;
      return isIt && known?.recipe.size === size ? known : undefined;
    });
  }

  /** `changedMs`: when the file was changed last, by the wall clock. */
  keep(key: CutFileKey, known: KnownRecipe, changedMs: number): void {
    const ageMs = this.#clock.date().getTime() - changedMs;
    if (known.recipe.size < FILE_BYTES_MIN || ageMs < SETTLED_MS) return;
    spared(() => {
      const record = encodeRecord(key, known);
      makeDirectories(this.#place.folder, 0o700);
      this.#makeRoom(record.length);
      writePrivateFile(this.#fileOf(key), record, systemRandom);
    });
  }

  #fileOf({ path, cutting }: CutFileKey): Buffer {
    const { folder, tree } = this.#place;
    const name = blake3(Buffer.concat([Buffer.from(`${tree}\0${cutting.cutter}\0`), path]));
    return pathIn(folder, Buffer.from(name).toString("hex"));
  }

  /** The oldest go first. */
  #makeRoom(bytes: number): void {
    const { folder } = this.#place;
    const found = readdirSync(folder).map((name) => {
      const path = pathIn(folder, name);
      const { size, mtimeMs } = statSync(path);
      return { path, size, mtimeMs };
    });
    let all = bytes + found.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of found.sort((one, other) => one.mtimeMs - other.mtimeMs)) {
      if (all <= this.#bytesMax) return;
      rmSync(path, { force: true });
      all -= size;
    }
  }
}

/** Undefined: it is no file that can be one. Throws system errors. */
function readRecord(path: Buffer): Buffer | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > RECORD_BYTES_MAX) return undefined;
    const record = Buffer.allocUnsafeSlow(stats.size);
    return readFully(fd, record, 0) < record.length ? undefined : record;
  } finally {
    closeSync(fd);
  }
}

function spared<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // It only saves work.
    return undefined;
  }
}
