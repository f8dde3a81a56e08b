import { filePieces, isOpenSparse } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import {
  type Entry,
  entryDisplay,
  entryPath,
  type HardLinkEntry,
  KEEPS_ALL,
  type Keeps,
} from "../../protocol/frame/page.ts";
import { FileHasher, hashChunk } from "../../protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import type { Difference, VerifyCounts } from "../../protocol/messages/verify-events.ts";
import { isOwnFolder, joinPath } from "../../protocol/names/relative-path.ts";
import { PathTable } from "../deletion/path-table.ts";
import { type FoundEntry, type FoundKind, findEntry, linkTarget, namesIn } from "../disk/folder-reader.ts";
import { isOneEntry } from "../disk/link-file.ts";
import type { Root } from "../disk/root.ts";
import { LACKS, type ManifestState, manifestStateOf } from "../manifest/manifest.ts";
import type { ManifestNotes, ManifestReader } from "../manifest/manifest-reader.ts";
import {
  CONTENT_FAULT,
  entryFaults,
  type Fault,
  linkFault,
  MISSING_FAULT,
  type PromisedEntry,
  promisedEntry,
  sharedFault,
  targetFaults,
  typeFault,
} from "./compare-entry.ts";
import { MetadataComparison } from "./compare-metadata.ts";

/** A multiple of the leaf [P-5], large enough to read fast. */
const READ_BYTES = 1024 * 1024;
/** Entries with more names than they should have that are remembered; each takes about 200 bytes. */
const SHARED_MAX = 100_000;

interface First {
  /** Those of the copy: its own and the further ones. */
  readonly names: number;
  /** Once it has come up. */
  readonly entry?: Entry;
  readonly promised?: PromisedEntry | undefined;
}

interface VerifierOut {
  difference(difference: Difference): void;
  extra(path: string, kind: FoundKind): void;
  file(path: string, bytes: number): void;
  /** The content of a file, or of a further name of one, was read: whether it is what was copied. */
  content(entry: Entry, isRight: boolean): void;
}

interface VerifierOptions {
  readonly root: Root;
  readonly manifest: ManifestReader;
  /** Whether what is in the folder and not in the manifest is a difference too. */
  readonly strict: boolean;
  readonly out: VerifierOut;
}

/**
 * Compares a folder with its manifest. The manifest is read twice: first for its paths, then entry by entry. Extra entries
 * show when the names in each of its directories are looked up. So memory holds the table of paths, one page and one
 * buffer, whatever the tree. What is inside of an extra directory is not listed.
 *
 * Synchronous, in steps: whoever drives it may stop between any two.
 */
export class Verifier {
  readonly counts: VerifyCounts = {
    files: 0,
    directories: 0,
    symlinks: 0,
    hardlinks: 0,
    specials: 0,
    bytes: 0,
    filesByContent: 0,
    filesByTime: 0,
    differing: 0,
    missing: 0,
    extra: 0,
    notCarried: 0,
  };
  /** Of content, by now. */
  bytesRead = 0;
  readonly progress = { filesFound: 0, bytesFound: 0, filesDone: 0, bytesDone: 0, discoveryEnded: false, current: "" };
  readonly #options: VerifierOptions;
  readonly #paths: PathTable;
  readonly #declared = new Set<number>();
  /** What the copy lacks of each entry, by its number. */
  readonly #lacks: Uint8Array;
  readonly #metadata: MetadataComparison;
  /** Entries that have further names, by their numbers. */
  readonly #firsts = new Map<number, First>();
  /** What has more names than it should: the first path that was seen of it. */
  readonly #shared = new Map<string, string>();
  #keeps: Keeps = KEEPS_ALL;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  constructor(options: VerifierOptions) {
    this.#options = options;
    const { root, manifest } = options;
    this.#paths = new PathTable(manifest.end.entries);
    this.#lacks = new Uint8Array(manifest.end.entries);
    this.#metadata = new MetadataComparison(root, manifest.meta);
  }

  /** @throws FanfoldError `manifest-damaged` */
  *run(): Generator<void, void, undefined> {
    const { manifest } = this.#options;
    const notes: ManifestNotes = {
      declared: (entry) => this.#declared.add(entry),
      lacks: (entry, bits) => {
        if (entry < this.#lacks.length) this.#lacks[entry] = (this.#lacks[entry] ?? 0) | bits;
      },
    };
    for (const { rows, states } of manifest.pages(notes)) {
      for (const [index, entry] of rows.entries().entries()) this.#list(entry, manifestStateOf(states, index));
      yield;
    }
    this.progress.discoveryEnded = true;
    for (const { rows, states } of manifest.pages()) {
      this.#keeps = rows.keeps;
      for (const [index, entry] of rows.entries().entries()) yield* this.#entry(entry, manifestStateOf(states, index));
    }
    this.progress.current = "";
  }

  #list(entry: Entry, state: ManifestState): void {
    this.#paths.add(entry.directory, entry.name, entry.entry);
    if (entry.kind === "hardlink") this.#firsts.set(entry.to, { names: (this.#firsts.get(entry.to)?.names ?? 1) + 1 });
    const promised = promisedEntry(entry, state);
    if (entry.kind !== "file" || promised === undefined) return;
    this.progress.filesFound += 1;
    this.progress.bytesFound = sumBytes(this.progress.bytesFound, promised.size);
  }

  *#entry(entry: Entry, state: ManifestState): Generator<void, void, undefined> {
    const promised = promisedEntry(entry, state);
    const first = this.#firsts.get(entry.entry);
    if (first !== undefined) this.#firsts.set(entry.entry, { ...first, entry, promised });
    const isLast = this.#paths.last(entry.directory, entry.name) === entry.entry;
    const doneBytes = sumBytes(this.progress.bytesDone, promised?.size ?? 0);
    if (isLast && (promised === undefined || this.#declared.has(entry.entry))) this.counts.notCarried += 1;
    else if (isLast && promised !== undefined) yield* this.#check(promised);
    if (entry.kind === "file" && promised !== undefined) {
      this.progress.filesDone += 1;
      this.progress.bytesDone = doneBytes;
    }
    yield;
  }

  *#check(promised: PromisedEntry): Generator<void, void, undefined> {
    const { entry } = promised;
    this.progress.current = entryDisplay(entry);
    let faults: Fault[];
    try {
      const found = findEntry(this.#options.root, entry.directory, entry.name);
      faults = found === undefined ? [MISSING_FAULT] : yield* this.#faults(promised, found);
    } catch (thrown) {
      faults = [unreadableFault(thrown)];
    }
    this.#count(promised);
    this.#tellContent(promised, faults);
    if (faults.length > 0) this.#tell(entry, faults);
    else if (entry.kind === "file") this.#options.out.file(entryDisplay(entry), promised.size);
  }

  *#faults(promised: PromisedEntry, found: FoundEntry): Generator<void, Fault[], undefined> {
    const { root, strict } = this.#options;
    const { entry, hash } = promised;
    if (entry.kind === "hardlink") return yield* this.#linkFaults(entry, found);
    const carried = { keeps: this.#keeps, lacks: this.#lacks[entry.entry] ?? 0 };
    const faults = entryFaults(promised, found, carried);
    const is = (kind: Fault["kind"]): boolean => faults.some((fault) => fault.kind === kind);
    if (is("type")) return faults;
    faults.push(...this.#metadata.faults(entry, found, carried));
    if (entry.kind === "directory") {
      const extras = yield* this.#extras(entryPath(entry));
      // Whoever put something into a directory changed its time by it.
      return extras > 0 && !strict ? faults.filter(({ kind }) => kind !== "time") : faults;
    }
    if (strict) faults.push(...this.#sharedFaults(entry, found));
    if (entry.kind === "symlink")
      return [...targetFaults(entry.target, linkTarget(root, entry.directory, entry.name)), ...faults];
    if (entry.kind !== "file" || is("size") || hash === undefined) return faults;
    return (yield* this.#hasContent(entry, promised)) ? faults : [CONTENT_FAULT, ...faults];
  }

  /** All but its being one with its first name is the first one's. Where a sink could not make it so, it has the same content. */
  *#linkFaults(link: HardLinkEntry, found: FoundEntry): Generator<void, Fault[], undefined> {
    const { entry: first, promised } = this.#firsts.get(link.to) ?? {};
    if (first === undefined || first.kind === "hardlink") return [];
    if (found.kind !== first.kind) return [typeFault(first.kind, found.kind)];
    if (isOneEntry(this.#options.root, first, link)) return [];
    const isCopied = ((this.#lacks[link.entry] ?? 0) & LACKS["hard-link"]) !== 0;
    const faults = isCopied ? [] : [linkFault(entryDisplay(first))];
    if (first.kind !== "file" || promised?.hash === undefined) return faults;
    return (yield* this.#hasContent(link, promised)) ? faults : [CONTENT_FAULT, ...faults];
  }

  /** Entries of the copy that are one here, and were not at the source. Names outside of the folder are nobody's business. */
  #sharedFaults(entry: Entry, { links, inode }: FoundEntry): Fault[] {
    if (links <= (this.#firsts.get(entry.entry)?.names ?? 1)) return [];
    const other = this.#shared.get(inode);
    if (other !== undefined) return [sharedFault(other)];
    if (this.#shared.size < SHARED_MAX) this.#shared.set(inode, entryDisplay(entry));
    return [];
  }

  *#hasContent(entry: Entry, { size, hash }: PromisedEntry): Generator<void, boolean, undefined> {
    using file = this.#options.root.openFile(entry.directory, entry.name);
    const { fd } = file;
    const hasher = new FileHasher();
    const looks = { isSparse: isOpenSparse(fd), dataBytesMax: READ_BYTES, unitBytes: LEAF_BYTES };
    let done = 0;
    for (const { offset, length, isHole } of filePieces(fd, { from: 0, to: size, ...looks })) {
      const space = this.#buffer.subarray(0, Math.min(length, READ_BYTES));
      if (isHole) hasher.addZeros(length);
      else if (readFully(fd, space, offset) < length) return false;
      else hasher.add(hashChunk(space));
      if (!isHole) this.bytesRead = sumBytes(this.bytesRead, length);
      done += length;
      this.progress.bytesDone = sumBytes(this.progress.bytesDone, length);
      yield;
    }
    return done === size && hash !== undefined && Buffer.compare(hasher.digest(), hash) === 0;
  }

  *#extras(directory: Buffer): Generator<void, number, undefined> {
    const { root, out } = this.#options;
    let extras = 0;
    for (const name of namesIn(root, directory)) {
      if (directory.length === 0 && isOwnFolder(name)) continue;
      if (this.#paths.last(directory, name) !== undefined) continue;
      extras += 1;
      this.counts.extra += 1;
      out.extra(escapeName(joinPath(directory, name)), findEntry(root, directory, name)?.kind ?? "file");
      yield;
    }
    return extras;
  }

  #count({ entry, size, hash }: PromisedEntry): void {
    const { counts } = this;
    if (entry.kind === "directory") counts.directories += 1;
    else if (entry.kind === "symlink") counts.symlinks += 1;
    else if (entry.kind === "hardlink") counts.hardlinks += 1;
    else if (entry.kind !== "file") counts.specials += 1;
    else {
      counts.files += 1;
      counts.bytes = sumBytes(counts.bytes, size);
      if (hash === undefined) counts.filesByTime += 1;
      else counts.filesByContent += 1;
    }
  }

  /** Said of what was read, and of what could not be: where size or time differ, the next copy sees by itself. */
  #tellContent({ entry, hash }: PromisedEntry, faults: readonly Fault[]): void {
    if (entry.kind !== "file" && entry.kind !== "hardlink") return;
    const has = (...kinds: readonly Fault["kind"][]) => faults.some(({ kind }) => kinds.includes(kind));
    if (has("content", "unreadable")) this.#options.out.content(entry, false);
    else if (has("missing", "type", "size")) return;
    // A further name is its first one, or was compared as that was.
    else if (hash !== undefined || entry.kind === "hardlink") this.#options.out.content(entry, true);
  }

  #tell(entry: Entry, faults: readonly Fault[]): void {
    if (faults.includes(MISSING_FAULT)) this.counts.missing += 1;
    else this.counts.differing += 1;
    const message = `it ${faults.map(({ text }) => text).join("; it ")}`;
    this.#options.out.difference({ path: entryDisplay(entry), kinds: faults.map(({ kind }) => kind), message });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EIO: "input/output error of its disk",
  ENXIO: "something else took its place",
};

/** A disk that fails at one file is what people want to find by this: the rest goes on. */
function unreadableFault(thrown: unknown): Fault {
  const code = systemCode(thrown);
  if (code === undefined) throw thrown;
  return { kind: "unreadable", text: `cannot be read: ${REASONS[code] ?? FanfoldError.from(thrown).message}` };
}
