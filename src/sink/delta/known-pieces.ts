import { type IndexedFile, isInOlder, type PieceIndex, type PiecesToFind } from "../../delta/piece-index.ts";
import { joined } from "../../lib/disk/directories.ts";
import { type EntryStats, statDescriptor, statPath } from "../../lib/disk/entry-stats.ts";
import { isSameInode, isSameVersion, traitsOf } from "../../lib/disk/file-traits.ts";
import { entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES, PATH_BYTES_MAX, RECIPE_PIECES_MAX } from "../../protocol/limits.ts";
import { nameOf, parentOf } from "../../protocol/names/relative-path.ts";
import { readable } from "../disk/entry-problem.ts";
import { type OpenFile, openRegular } from "../disk/regular-file.ts";
import type { Root } from "../disk/root.ts";
import type { AllSnapshots, Basis } from "../disk/root-options.ts";
import type { IsDoubted } from "../own/partial-files.ts";
import { loadPieces, savePieces } from "../own/piece-file.ts";
import { snapshotTimeMs } from "../snapshots/snapshot-name.ts";
import { LeafPieces } from "./leaf-pieces.ts";

/** Files that recipes have open besides the versions under their own names: one for each recipe that a source waits for. */
const FILES_HELD_MAX = 64;
/** A file that is not where it was is looked for in so many snapshots, the newest first. */
const SNAPSHOTS_SEARCHED_MAX = 16;
/** Leaves of the files whose content comes: 4 MiB of memory. They are those of one file of 8 GiB. */
const LOGGED_PIECES_MAX = RECIPE_PIECES_MAX;

interface KnownPiecesOptions {
  readonly root: Root;
  /** The newest snapshot, where there are some. */
  readonly basis: Basis | undefined;
  /** All snapshots; undefined: those before the newest are not known. */
  readonly all?: AllSnapshots | undefined;
  readonly isDoubted: IsDoubted;
}

/**
 * The pieces of the large files in a folder, wherever they stand: files that were renamed or copied are made of them [P-17].
 * They are read when they are asked for, or a large file was written, and kept when the copy is proven. What they say is a
 * hint: the file must look as it did, and the hash of the whole new file decides. Part of the door to the disk (D11).
 */
export class KnownPieces {
  readonly #options: KnownPiecesOptions;
  #index: PieceIndex | undefined;
  #isChanged = false;
  /** Files of this session. */
  readonly #written: IndexedFile[] = [];
  #filesHeld = 0;
  #loggedPieces = 0;

  constructor(options: KnownPiecesOptions) {
    this.#options = options;
  }

  /** Whether a file of exactly this size is known. */
  hasSize(size: number): boolean {
    return this.#known().hasSize(size);
  }

  /** Where a piece lies, if that file is still the one that it was. */
  find(pieces: PiecesToFind, number: number): ReturnType<PieceIndex["find"]> {
    return this.#known().find(pieces, number);
  }

  /** Undefined when it is not what it was, and nothing more is found in it; or when so many are open that it has to wait. */
  open(file: IndexedFile): OpenFile | undefined {
    if (this.#filesHeld >= FILES_HELD_MAX) return undefined;
    const isOlder = isInOlder(file.path);
    const opened = isOlder ? this.#openInOlder(file) : (this.#openInTree(file) ?? this.#openInBasis(file));
    if (opened === undefined) {
      this.#drop(file);
      return undefined;
    }
    this.#filesHeld += 1;
    const close = (): void => {
      this.#filesHeld -= 1;
      opened[Symbol.dispose]();
    };
    return { fd: opened.fd, facts: opened.facts, [Symbol.dispose]: close };
  }

  /** Where the leaves of a file go whose content comes. Undefined for one of which they are not kept. */
  begin({ size }: FileEntry): LeafPieces | undefined {
    const pieces = Math.ceil(size / LEAF_BYTES);
    if (size < DELTA_FILE_BYTES_MIN || this.#loggedPieces + pieces > LOGGED_PIECES_MAX) return undefined;
    this.#loggedPieces += pieces;
    return new LeafPieces(pieces);
  }

  /** The file was given up, or is taken up by `add`. */
  end({ piecesMax }: LeafPieces): void {
    this.#loggedPieces -= piecesMax;
  }

  /** It has its name, and all that it shall have. */
  add(entry: FileEntry, leaves: LeafPieces, size: number): void {
    const recipe = leaves.recipe(size);
    const stats = readable(() => this.#options.root.find(entry.directory, entry.name));
    if (recipe === undefined || stats?.isFile() !== true || stats.size !== size) return;
    const file = { path: entryPath(entry), traits: traitsOf(stats) };
    this.#isChanged = true;
    this.#leave(this.#known(), file.path);
    if (this.#known().add(file, recipe)) this.#written.push(file);
  }

  /** The copy is proven. */
  save(): void {
    if (this.#index === undefined || !this.#isChanged) return;
    for (const file of this.#written) this.#renew(this.#index, file);
    savePieces(this.#options.root, this.#index);
    this.#isChanged = false;
  }

  #known(): PieceIndex {
    this.#index ??= loadPieces(this.#options.root, (file) => this.#placed(file));
    return this.#index;
  }

  #drop({ path }: IndexedFile): void {
    this.#index?.drop(path);
    this.#isChanged = true;
  }

  /** Further names that it was given since are no change of it. */
  #renew(index: PieceIndex, { path, traits }: IndexedFile): void {
    const now = readable(() => this.#options.root.find(parentOf(path), nameOf(path)));
    if (now?.isFile() === true && isSameInode(traitsOf(now), traits))
      index.renew(path, { path, traits: traitsOf(now) });
    else index.drop(path);
  }

  /** What is known of a path goes on to be that of the newest snapshot, if it has that file. */
  #leave(index: PieceIndex, path: Buffer): void {
    const [newest, file] = [this.#options.all?.names.at(-1), index.file(path)];
    const older = newest === undefined || file === undefined ? undefined : this.#inSnapshot(newest, path, file);
    if (older !== undefined) index.renew(path, older);
  }

  /** The file where it stands now as it was; undefined when it does not. */
  #placed(file: IndexedFile): IndexedFile | undefined {
    if (isInOlder(file.path) ? this.#isInOlder(file) : this.#isInTree(file)) return file;
    const { all } = this.#options;
    if (all === undefined) return undefined;
    // Since it was known its path was given up, or the snapshot was removed in which it stood.
    const path = isInOlder(file.path) ? file.path.subarray(file.path.indexOf("/", 1) + 1) : file.path;
    for (const name of all.names.slice(-SNAPSHOTS_SEARCHED_MAX).toReversed()) {
      const found = this.#inSnapshot(name, path, file);
      if (found === undefined) continue;
      this.#isChanged = true;
      return found;
    }
    return undefined;
  }

  /** The same file by its path in a snapshot. */
  #inSnapshot(name: string, path: Buffer, { traits }: IndexedFile): IndexedFile | undefined {
    const file = { path: Buffer.concat([Buffer.from(`/${name}/`), path]), traits };
    return file.path.length <= PATH_BYTES_MAX && this.#isInOlder(file) ? file : undefined;
  }

  #isInOlder(file: IndexedFile): boolean {
    const place = this.#placeInOlder(file);
    return place !== undefined && this.#isAsKnown(stated(place), file);
  }

  #isInTree(file: IndexedFile): boolean {
    const { root } = this.#options;
    const [directory, name] = [parentOf(file.path), nameOf(file.path)];
    if (root.damage.has({ directory, name })) return false;
    const own = readable(() => root.find(directory, name));
    if (this.#isAsKnown(own, file)) return true;
    const place = this.#placeInBasis(file);
    return place !== undefined && this.#isAsKnown(stated(place), file);
  }

  #openInTree(file: IndexedFile): OpenFile | undefined {
    const { root } = this.#options;
    const [directory, name] = [parentOf(file.path), nameOf(file.path)];
    if (root.damage.has({ directory, name })) return undefined;
    return this.#checked(
      file,
      readable(() => root.openFile(directory, name)),
    );
  }

  #openInBasis(file: IndexedFile): OpenFile | undefined {
    const [directory, name] = [parentOf(file.path), nameOf(file.path)];
    const place = this.#placeInBasis(file);
    if (place === undefined || this.#options.root.damage.has({ directory, name })) return undefined;
    return this.#checked(
      file,
      readable(() => openRegular(place)),
    );
  }

  #openInOlder(file: IndexedFile): OpenFile | undefined {
    const place = this.#placeInOlder(file);
    if (place === undefined) return undefined;
    return this.#checked(
      file,
      readable(() => openRegular(place)),
    );
  }

  /** In a snapshot of the folder, and nowhere else in it. To be used at once. */
  #placeInOlder({ path }: IndexedFile): Buffer | undefined {
    const from = path.subarray(1);
    if (snapshotTimeMs(from.toString("latin1", 0, from.indexOf("/"))) === undefined) return undefined;
    const directory = this.#options.all?.folder.directory(parentOf(from));
    return directory && joined(directory, nameOf(from));
  }

  /** To be used at once. */
  #placeInBasis({ path }: IndexedFile): Buffer | undefined {
    const directory = this.#options.basis?.directory(parentOf(path));
    return directory && joined(directory, nameOf(path));
  }

  /** Closes what is not the file that it was. */
  #checked(file: IndexedFile, opened: OpenFile | undefined): OpenFile | undefined {
    if (opened === undefined) return undefined;
    if (
      this.#isAsKnown(
        readable(() => statDescriptor(opened.fd)),
        file,
      )
    )
      return opened;
    opened[Symbol.dispose]();
    return undefined;
  }

  #isAsKnown(stats: EntryStats | undefined, { traits }: IndexedFile): boolean {
    const { basis, isDoubted } = this.#options;
    if (stats?.isFile() !== true || isDoubted(stats.ctimeMs)) return false;
    const now = traitsOf(stats);
    // What stays from one snapshot to the next is given further names, or an inode of its own.
    return basis === undefined ? now.equals(traits) : isSameVersion(now, traits);
  }
}

function stated(place: Buffer): EntryStats | undefined {
  return readable(() => statPath(place));
}
