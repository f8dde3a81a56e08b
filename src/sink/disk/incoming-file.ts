import { closeSync, ftruncateSync } from "node:fs";
import { FanfoldError } from "../../lib/errors.ts";
import type { ChunkRecord, FileFinal, HoleRecord, KeptRecord } from "../../protocol/frame/data-table.ts";
import { entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import { type ChunkHash, FileHasher, hashChunk, type LeafLog } from "../../protocol/hash/content-hash.ts";
import type { MetadataEntry } from "../metadata/metadata.ts";
import { openTarget } from "../metadata/metadata-target.ts";
import { isLasting, type PartialFile, RESUMABLE_BYTES_MIN } from "../own/partial-files.ts";
import { NotServed } from "../stream/not-served.ts";
import { isFatal, isInTheWay, KEPT_DIFFERS, OWN_DIFFERS, spared } from "./entry-problem.ts";
import { type FileFacts, factsOfOpen, isAsSeen } from "./file-facts.ts";
import { type KeptContent, readKeptRange } from "./kept-ranges.ts";
import { hasBytes, hashBeginning, hasZeros, readKept, TELL_BYTES, writeFully, writeSparsely } from "./read-content.ts";
import type { Root } from "./root.ts";

interface IncomingOptions {
  readonly root: Root;
  readonly entry: FileEntry;
  /** This sink asked for it. */
  readonly isWanted: boolean;
  /** Of the partial file. */
  readonly partialName: string;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
  /** Where the leaves of the whole file go. */
  readonly leaves?: LeafLog | undefined;
}

interface OwnFile {
  readonly fd: number;
  readonly facts: FileFacts;
}

/**
 * One file whose content comes. It is collected in a partial file. When this sink did not want it, it is compared with
 * the file that stands there. At the first difference a partial file is made, of the own bytes up to there. The own file
 * stays open, for ranges that are kept.
 */
export class IncomingFile {
  readonly #options: IncomingOptions;
  #partial: PartialFile | undefined;
  #own: OwnFile | undefined;
  #hasher: FileHasher;
  #bytes = 0;
  /** Bytes that the source left out, and that are in the hash as the own file has them. */
  #ownBytes = 0;
  /** Bytes of kept ranges, which are in the hash as they were read here; and of them since that was told. */
  #keptBytes = 0;
  #untoldBytes = 0;
  /** The own file's bytes were copied, as they were by then. */
  #isCopied = false;
  #storedBytes = 0;
  /** Blocks of zeros are not written: the source's file has holes. */
  #isSparse: boolean;

  private constructor(options: IncomingOptions) {
    this.#options = options;
    this.#hasher = new FileHasher(options.leaves);
    this.#isSparse = options.entry.roomBytes !== undefined;
  }

  /** Bytes of the file that take room here, by what was written. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Hash of what came so far, with what an earlier session stored. */
  get digest(): Uint8Array {
    return this.#hasher.digest();
  }

  get partialName(): string {
    return this.#options.partialName;
  }

  /** A file that is wanted: from its beginning, or from byte `from` on, which an earlier session stored. */
  static wanted(options: IncomingOptions, from: number): IncomingFile {
    const file = new IncomingFile(options);
    if (from === 0) file.#partial = file.#create();
    else file.#resume(from);
    return file;
  }

  /** A file that is not wanted, because something equal seems to be there. */
  static compared(options: IncomingOptions, from: number): IncomingFile {
    const file = new IncomingFile(options);
    const { root, entry } = options;
    try {
      file.#own = root.openFile(entry.directory, entry.name);
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      if (from > 0) throw ownDiffers();
      file.#partial = file.#create();
      return file;
    }
    const hasher = hashBeginning(file.#own.fd, from, options);
    if (hasher === undefined) {
      file.close();
      throw ownDiffers();
    }
    file.#hasher = hasher;
    file.#bytes = from;
    file.#ownBytes = from;
    return file;
  }

  /** Returns the bytes that it wrote. @throws FanfoldError `damaged` out of order */
  add(record: ChunkRecord, hashed: ChunkHash): number {
    this.#checkOrder(record.offset);
    const before = this.#storedBytes;
    const own = this.#compared;
    if (own === undefined || !hasBytes(own.fd, record.bytes, record.offset))
      this.#write(this.#written().fd, record.bytes, record.offset);
    this.#hasher.add(hashed);
    this.#bytes += record.bytes.length;
    return this.#storedBytes - before;
  }

  /** The same of a hole. @throws FanfoldError `damaged` out of order */
  addHole({ offset, length }: HoleRecord): number {
    const before = this.#storedBytes;
    this.#checkOrder(offset);
    this.#isSparse = true;
    const [from, to] = [offset, offset + length];
    const own = this.#compared;
    if (own === undefined || !hasZeros(own.fd, { from, to }, this.#options.onBusy))
      ftruncateSync(this.#written().fd, to);
    this.#hasher.addZeros(length);
    this.#bytes += length;
    return this.#storedBytes - before;
  }

  /**
   * The same of a range that is filled from what is here: from `held`, or from the own file at the same place.
   *
   * @throws FanfoldError `damaged` out of order
   */
  addKept(range: KeptRecord, held: KeptContent | undefined): number {
    this.#checkOrder(range.offset);
    const before = this.#storedBytes;
    const into = this.#compared === undefined ? this.#written() : undefined;
    const file = { into: into?.fd, native: this.#options.root.native };
    const isRead = readKeptRange(range, held ?? this.#ownContent, file, (bytes, offset, isThere) => {
      if (isThere) this.#storedBytes += bytes.length;
      else if (into !== undefined) this.#write(into.fd, bytes, offset);
      this.#hasher.add(hashChunk(bytes));
    });
    if (!isRead) throw this.#keptDiffers();
    this.#bytes += range.length;
    this.#keptBytes += range.length;
    this.#untoldBytes += range.length;
    if (this.#untoldBytes >= TELL_BYTES) {
      this.#untoldBytes = 0;
      this.#options.onBusy();
    }
    return this.#storedBytes - before;
  }

  /**
   * Gives the file its name, or leaves the own one that is equal: "kept". The file without its name, which is the caller's then,
   * when a directory that is not empty stands in its place.
   *
   * @throws FanfoldError `digest-mismatch` when it is not what the close mark says
   */
  finish(final: FileFinal): "kept" | "named" | PartialFile {
    this.#check(final);
    const own = this.#compared;
    if (own !== undefined && own.facts.size === final.size && this.#keepOwn(own, final)) {
      this.close();
      return "kept";
    }
    const partial = this.#written();
    // The own file may have changed between its comparison and its copy.
    if (this.#isCopied) this.#check(final);
    const { root, entry: to } = this.#options;
    const { isBare = false } = partial;
    const unkept = root.unkept(to.directory, to.name, final.mode);
    root.metadata.apply(openTarget(partial.fd, root.native), this.#subject(final), { isBare, unkept });
    root.sync?.content(partial.fd);
    this.close();
    try {
      root.commit(partial, to.directory, to.name);
    } catch (thrown) {
      if (isInTheWay(thrown)) return partial;
      root.partials.discard(partial);
      throw thrown;
    }
    return "named";
  }

  /** Forgets what came; what stood under its name before is untouched. */
  discard(): void {
    const partial = this.#partial;
    this.close();
    if (partial !== undefined) this.#options.root.partials.discard(partial);
  }

  /** Lets go of it; what came stays for another session, when it is worth it. */
  suspend(): void {
    if (isLasting(this.partialName) && this.#bytes >= RESUMABLE_BYTES_MIN) this.close();
    else this.discard();
  }

  close(): void {
    if (this.#partial !== undefined) this.#options.root.partials.close(this.#partial);
    if (this.#own !== undefined) closeSync(this.#own.fd);
    this.#partial = undefined;
    this.#own = undefined;
  }

  #resume(from: number): void {
    const found = this.#options.root.partials.reopen(this.#options.entry.directory, this.partialName);
    this.#partial = found?.partial;
    const hasher =
      found === undefined || found.bytes < from ? undefined : hashBeginning(found.partial.fd, from, this.#options);
    if (found === undefined || hasher === undefined) {
      this.close();
      throw new NotServed(
        "damaged",
        `cannot write "${entryDisplay(this.#options.entry)}": content from byte ${from} on came, and only ${found?.bytes ?? 0} bytes are held`,
      );
    }
    ftruncateSync(found.partial.fd, from);
    this.#hasher = hasher;
    this.#bytes = from;
    this.#storedBytes = Math.min(from, found.roomBytes);
  }

  #check(final: FileFinal): void {
    if (this.#bytes === final.size && Buffer.compare(this.#hasher.digest(), final.hash) === 0) return;
    this.discard();
    if (this.#keptBytes > 0 && this.#bytes === final.size) throw this.#keptDiffers();
    const { root, entry } = this.#options;
    if (this.#ownBytes > 0) {
      // Its size and time are those of the source's file, its beginning is not: that must be seen the next time.
      root.distrust(entry.directory, entry.name);
      throw ownDiffers();
    }
    if (this.#isCopied) throw ownDiffers();
    throw new FanfoldError(
      "digest-mismatch",
      `cannot close "${entryDisplay(this.#options.entry)}": the ${this.#bytes} bytes stored here differ from the ${final.size} bytes that the source read`,
    );
  }

  /**
   * False when the own file's mode or time cannot be set; a new one in its place has an owner who can. False also when
   * other names share them, and when it was written to since it was opened.
   */
  #keepOwn({ fd, facts }: OwnFile, final: FileFinal): boolean {
    try {
      if (!isAsSeen(factsOfOpen(fd), facts)) return false;
      const { metadata } = this.#options.root;
      const subject = this.#subject(final);
      if (!metadata.wouldChange(fd, facts, subject)) return true;
      if (facts.links > 1 || metadata.isForeign(facts, subject)) return false;
      metadata.apply(openTarget(fd), subject);
      return true;
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      return false;
    }
  }

  /** The own file, while nothing else was found in it than what came. */
  get #compared(): OwnFile | undefined {
    return this.#partial === undefined ? this.#own : undefined;
  }

  /** At the same place. */
  get #ownContent(): KeptContent {
    const own = this.#own;
    return { read: (space, offset) => own !== undefined && readKept(own.fd, space, offset) };
  }

  /** What was here is not what it was, or never was what it seemed to be. It must not serve the next time. */
  #keptDiffers(): Error {
    const { root, entry, isWanted } = this.#options;
    root.damage.add(entry);
    if (!isWanted) spared(() => root.distrust(entry.directory, entry.name));
    return Object.assign(new Error("what was here of it differs"), { code: KEPT_DIFFERS });
  }

  /** The partial file; made of the own file's bytes when there is none yet. */
  #written(): PartialFile {
    if (this.#partial !== undefined) return this.#partial;
    const partial = this.#create();
    this.#partial = partial;
    const own = this.#own;
    if (own === undefined) return partial;
    const copyTo = (bytes: Buffer, offset: number): void => this.#write(partial.fd, bytes, offset);
    const { onBusy, leaves } = this.#options;
    const hasher = hashBeginning(own.fd, this.#bytes, { onBusy, leaves, copyTo });
    if (hasher === undefined) throw ownDiffers();
    ftruncateSync(partial.fd, this.#bytes);
    // The hash is of the bytes that were copied, and not of those that were compared. The file may change in between.
    this.#hasher = hasher;
    this.#isCopied = true;
    return partial;
  }

  #write(fd: number, bytes: Uint8Array, offset: number): void {
    if (!this.#isSparse) {
      writeFully(fd, bytes, offset);
      this.#storedBytes += bytes.length;
      return;
    }
    this.#storedBytes += writeSparsely(fd, bytes, offset);
    // The file is as long as what came, also when that ends with zeros.
    if (bytes[bytes.length - 1] === 0) ftruncateSync(fd, offset + bytes.length);
  }

  #checkOrder(offset: number): void {
    if (offset === this.#bytes) return;
    throw new FanfoldError(
      "damaged",
      `cannot write "${entryDisplay(this.#options.entry)}": content for byte ${offset} came, expected byte ${this.#bytes}`,
    );
  }

  /** What the file shall have, as the source found it in its second look. What an unwanted one lacks was told before. */
  #subject({ mode, mtime }: FileFinal): MetadataEntry {
    const { entry, isWanted } = this.#options;
    const shown = isWanted ? () => entryDisplay(entry) : undefined;
    return { entry: entry.entry, kind: "file", wanted: { ...entry, mode, mtime }, shown };
  }

  #create(): PartialFile {
    const { root, entry } = this.#options;
    root.fill(entry.directory);
    return root.partials.create(entry.directory, this.partialName);
  }
}

function ownDiffers(): Error {
  return Object.assign(new Error("the own file differs"), { code: OWN_DIFFERS });
}
