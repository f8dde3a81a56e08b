import { filePieces, isSparse } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { SpillFile } from "../../lib/disk/spill-file.ts";
import { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import { TakenName } from "../../lib/disk/taken-name.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import type { FileFinal } from "../../protocol/frame/data-table.ts";
import { entryDisplay, entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import { readRows } from "../../protocol/frame/page-rows.ts";
import { timestampFault, timestampOf } from "../../protocol/frame/timestamp.ts";
import { StateWriter } from "../../protocol/frame/trailer.ts";
import { FileHasher, hashChunk } from "../../protocol/hash/content-hash.ts";
import { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import type { DigestCounts } from "../../protocol/messages/digest-events.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { checkSize, problemOf, replaced } from "../disk/source-problem.ts";
import { TreeFolder } from "../disk/tree-folder.ts";
import { readsAs } from "../read/hash-file.ts";
import { fileChangeOf } from "../read/second-look.ts";
import { settledStat } from "../read/settled-stat.ts";
import type { WalkedPage } from "../walk/page-maker.ts";
import type { TreeScope } from "../walk/tree-scope.ts";
import { TreeWalk } from "../walk/walk.ts";

/** Read at once; files up to this size are read in the least calls. A multiple of the leaf. */
const READ_BYTES = 32 * LEAF_BYTES;

interface TreeReadingOut {
  problem(problem: Problem): void;
  warning(code: string, message: string): void;
  notCarried(what: string, count: number): void;
  file(path: string, bytes: number): void;
}

const AS_LISTED = { state: "as-listed" } as const;
const WITHDRAWN = { state: "withdrawn" } as const;

/**
 * Reads a tree as a source would, and makes its digest [P-7.2], without anybody to send it to. Memory holds one page and one
 * buffer. Synchronous, in steps: whoever drives it may stop between any two.
 */
export class TreeReading implements Disposable {
  readonly counts: DigestCounts = { files: 0, directories: 0, symlinks: 0, hardlinks: 0, specials: 0, bytes: 0 };
  readonly progress = { filesDone: 0, bytesDone: 0, current: "" };
  readonly #walk: TreeWalk;
  readonly #folder: TreeFolder;
  readonly #out: TreeReadingOut;
  readonly #digest = new TreeDigest(() => SpillFile.open());
  readonly #found = new StatxBuffer();
  readonly #name = new TakenName();
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  /** @throws FanfoldError when the directory cannot be opened */
  constructor(root: Buffer, scope: TreeScope, out: TreeReadingOut) {
    this.#walk = new TreeWalk(root, scope);
    this.#folder = TreeFolder.open(root, { identity: scope.identity });
    this.#out = out;
  }

  /** Returns the digest. @throws FanfoldError when the directory itself is gone */
  *run(): Generator<void, Buffer, undefined> {
    for (const output of this.#walk.run()) {
      if (output.type === "page") yield* this.#page(output);
      else if (output.type === "problem") this.#out.problem(output.problem);
      else if (output.type === "warning") this.#out.warning(output.code, output.message);
      else if (output.type === "not-carried") this.#out.notCarried(output.what, output.count ?? 1);
    }
    return this.#digest.end();
  }

  [Symbol.dispose](): void {
    this.#walk[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
    this.#digest[Symbol.dispose]();
  }

  *#page(walked: WalkedPage): Generator<void, void, undefined> {
    this.#count(walked);
    const rows = readRows(walked.body);
    const states = new StateWriter(rows.count);
    this.#folder.lookAnew();
    for (let index = 0; index < rows.count; index += 1) {
      const entry = rows.file(index);
      if (entry === undefined) {
        states.add(AS_LISTED);
        continue;
      }
      const final = yield* this.#file(entry);
      states.add(final === undefined ? WITHDRAWN : { state: "delivered", final });
      this.progress.filesDone += 1;
      this.progress.bytesDone = sumBytes(this.progress.bytesDone, entry.size);
      if (final !== undefined) this.#out.file(entryDisplay(entry), final.size);
      yield;
    }
    this.#digest.page(rows, states.bytes);
  }

  #count(page: WalkedPage): void {
    const { counts } = this;
    for (const kind of ["files", "directories", "symlinks", "hardlinks", "specials"] as const)
      counts[kind] += page[kind];
    counts.bytes = sumBytes(counts.bytes, page.bytes);
  }

  /** What a file is; undefined when it could not be read, of which was told. */
  *#file(entry: FileEntry): Generator<void, FileFinal | undefined, undefined> {
    this.progress.current = entryDisplay(entry);
    try {
      const final = this.#small(entry) ?? (yield* this.#large(entry)) ?? (yield* this.#large(entry));
      if (final !== undefined) return final;
      const message = "changed: it was written to while it was read, both times";
      this.#out.problem({ path: entryDisplay(entry), kind: "changed", message });
    } catch (thrown) {
      if (thrown instanceof FanfoldError) throw thrown;
      this.#folder.check();
      this.#out.problem(problemOf(entryPath(entry), thrown));
    }
    return undefined;
  }

  /** A file that is nothing special, in the least calls; undefined when it has to be looked at closer. */
  #small({ directory, name, size }: FileEntry): FileFinal | undefined {
    if (size > READ_BYTES || !this.#name.take(name)) return undefined;
    const found = this.#found;
    const space = this.#buffer.subarray(0, size);
    if (!this.#folder.readWhole(this.#folder.directory(directory), this.#name, space, found)) return undefined;
    const mtime = { seconds: found.mtimeSeconds, nanoseconds: found.mtimeNanoseconds };
    if (timestampFault(mtime) !== undefined) return undefined;
    return { size, mode: found.mode & 0o7777, mtime, hash: hashChunk(space).hash };
  }

  /** Undefined: it changed while it was read. */
  *#large(entry: FileEntry): Generator<void, FileFinal | undefined, undefined> {
    const directory = this.#folder.directory(entry.directory);
    const fd = this.#folder.openFile(directory, entry.name);
    try {
      const before = settledStat(fd);
      if (!before.isFile()) throw replaced();
      const { size } = before;
      checkSize(size);
      const hasher = new FileHasher();
      const options = {
        from: 0,
        to: size,
        isSparse: isSparse(before),
        dataBytesMax: READ_BYTES,
        unitBytes: LEAF_BYTES,
      };
      let done = 0;
      for (const { offset, length, isHole } of filePieces(fd, options)) {
        if (isHole) hasher.addZeros(length);
        else if (!this.#piece(fd, { offset, length }, hasher)) return undefined;
        done = offset + length;
        yield;
      }
      const change = fileChangeOf(fd, before, () => this.#folder.look(directory, entry.name));
      const final = { size, mode: before.mode & 0o7777, mtime: timestampOf(before.mtimeNs), hash: hasher.digest() };
      const isRight = done === size && (change === "none" || (change === "grew" && readsAs(fd, final)));
      return isRight ? final : undefined;
    } finally {
      this.#folder.closeFile(directory, fd);
    }
  }

  /** False when the file is shorter by now. */
  #piece(
    fd: number,
    { offset, length }: { readonly offset: number; readonly length: number },
    hasher: FileHasher,
  ): boolean {
    const space = this.#buffer.subarray(0, length);
    if (readFully(fd, space, offset) < length) return false;
    hasher.add(hashChunk(space));
    return true;
  }
}
