import { joined } from "../../lib/disk/directories.ts";
import { statPath } from "../../lib/disk/entry-stats.ts";
import type { FileEntry } from "../../protocol/frame/page.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES } from "../../protocol/limits.ts";
import { readable, spared } from "../disk/entry-problem.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { type OpenFile, openRegular } from "../disk/regular-file.ts";
import type { Root } from "../disk/root.ts";
import type { Basis } from "../disk/root-options.ts";
import type { KnownPieces } from "./known-pieces.ts";
import type { LookUps } from "./look-ups.ts";
import { PieceFinder } from "./piece-finder.ts";

interface OlderFilesOptions {
  readonly root: Root;
  /** The newest snapshot, where there are some. */
  readonly basis: Basis | undefined;
  /** Those of files under other names. */
  readonly pieces: KnownPieces;
  readonly lookUps: LookUps;
}

/**
 * What stands here of files whose content is wanted: older versions, of which pieces may serve [P-17]. They stand under
 * their names in the folder, or in the newest snapshot. A file that was renamed or copied has another name here. Part of the door to the disk (D11).
 */
export class OlderFiles {
  readonly #options: OlderFilesOptions;

  constructor(options: OlderFilesOptions) {
    this.#options = options;
  }

  /** Bytes of the version here; undefined when there is none that may serve. `own` stands under the name in the folder. */
  bytesOf(entry: FileEntry, own: FileFacts | undefined): number | undefined {
    if (!this.#mayServe(entry)) return undefined;
    const bytes = own?.size ?? this.#bytesInBasis(entry) ?? 0;
    // A file of just that size is most likely this one.
    if (bytes !== entry.size && this.#options.pieces.hasSize(entry.size)) return entry.size;
    return bytes < LEAF_BYTES ? undefined : bytes;
  }

  /** The same file, open for reading. What cannot be read serves for nothing: its whole content comes then. */
  open(entry: FileEntry): OpenFile | undefined {
    if (!this.#mayServe(entry)) return undefined;
    const { directory, name } = entry;
    return readable(() => this.#options.root.openFile(directory, name)) ?? this.#openInBasis(entry);
  }

  /** What finds pieces of it in files under other names. */
  elsewhere(entry: FileEntry): PieceFinder | undefined {
    const { pieces: known, lookUps } = this.#options;
    return this.#mayServe(entry) ? new PieceFinder({ known, lookUps }) : undefined;
  }

  #mayServe(entry: FileEntry): boolean {
    return entry.size >= DELTA_FILE_BYTES_MIN && !this.#options.root.damage.has(entry);
  }

  #bytesInBasis({ directory, name }: FileEntry): number | undefined {
    const found = this.#options.basis?.directory(directory);
    const stats = found && spared(() => statPath(joined(found, name)));
    return stats?.isFile() === true ? stats.size : undefined;
  }

  #openInBasis({ directory, name }: FileEntry): OpenFile | undefined {
    const found = this.#options.basis?.directory(directory);
    return found && readable(() => openRegular(joined(found, name)));
  }
}
