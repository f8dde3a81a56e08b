import { closeSync, writeSync } from "node:fs";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { EncodedStates } from "../../protocol/frame/trailer.ts";
import type { FidelityKind } from "../../protocol/messages/fidelity.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import type { Root } from "../disk/root.ts";
import { commitOwnFile, createOwnFile, removeOwnFile } from "../own/own-files.ts";
import { CarriedHashes, type CarriedProof } from "./carried-hashes.ts";
import {
  DECLARED_MAX,
  encodeDeclared,
  encodeHeader,
  encodeLacks,
  encodeManifestEnd,
  encodeManifestPage,
  encodeRecord,
  isLack,
  LACKS,
  MAGIC,
  MANIFEST,
  MANIFEST_DRAFT,
  MANIFEST_VERSION,
  type ManifestMeta,
  PROOF_MS_MAX,
} from "./manifest.ts";
import { ManifestReader } from "./manifest-reader.ts";

/** Writes the manifest of a session while it runs. It counts only once it is committed; until then the old one stands. */
export interface ManifestWriter {
  /** The next page, and what is stored here of each entry. */
  page(rows: PageRows, states: EncodedStates): void;
  /** What the manifest before says of a file's content, when size and time are equal. Asked in the order of the pages, once each. */
  known(rows: PageRows, index: number): CarriedProof | undefined;
  /** Of a file with so many bytes the content was not looked at: it was proven by the copy that began then. */
  take(bytes: number, provenMs: number): void;
  /** An entry is there, but for this; what cannot be seen afterwards is passed over. */
  lacks(entry: number, what: FidelityKind): void;
  /** Files so far whose content was not looked at in this session, without empty ones. Undefined when there are none. */
  readonly takenAsUnchanged: TakenAsUnchanged | undefined;
  /** All is stored and proven: it becomes the manifest. `notCarried` are the numbers of entries with problems. */
  commit(digest: Uint8Array, notCarried?: Iterable<number>): void;
  /** Leaves the old manifest as it is. Idempotent, and nothing after a commit. */
  discard(): void;
}

/**
 * The folder must have its `.fanfold`. `isSynced` false: the disk is not made to have it. Throws system errors, which concern the
 * whole disk.
 */
export function openManifestWriter(root: Root, meta: ManifestMeta, isSynced = true): ManifestWriter {
  return new FileManifestWriter(root, meta, isSynced);
}

class FileManifestWriter implements ManifestWriter {
  readonly #root: Root;
  readonly #isSynced: boolean;
  readonly #before: ManifestReader | undefined;
  readonly #carried: CarriedHashes | undefined;
  #fd: number | undefined;
  #pages = 0;
  #entries = 0;
  /** Files that were taken as unchanged. */
  readonly #taken = { files: 0, bytes: 0, oldestProofMs: Number.POSITIVE_INFINITY };
  /** Not written yet. */
  #lacks = new Map<number, number>();

  constructor(root: Root, meta: ManifestMeta, isSynced: boolean) {
    this.#root = root;
    this.#isSynced = isSynced;
    this.#fd = createOwnFile(root, MANIFEST_DRAFT);
    this.#before = earlier(root);
    if (this.#before !== undefined) this.#carried = carriedFrom(this.#before);
    this.#write(Buffer.concat([MAGIC, Uint8Array.of(MANIFEST_VERSION)]));
    this.#write(encodeRecord("header", encodeHeader(meta)));
  }

  page({ table, count }: PageRows, states: EncodedStates): void {
    this.#write(encodeRecord("page", encodeManifestPage(table, states)));
    this.#pages += 1;
    this.#entries += count;
  }

  known(rows: PageRows, index: number): CarriedProof | undefined {
    return this.#carried?.find(rows, index);
  }

  take(bytes: number, provenMs: number): void {
    // In an empty file there is nothing to be proven.
    if (bytes === 0) return;
    const taken = this.#taken;
    taken.files += 1;
    taken.bytes = sumBytes(taken.bytes, bytes);
    taken.oldestProofMs = Math.min(taken.oldestProofMs, provenMs);
  }

  lacks(entry: number, what: FidelityKind): void {
    if (!isLack(what)) return;
    this.#lacks.set(entry, (this.#lacks.get(entry) ?? 0) | LACKS[what]);
    if (this.#lacks.size >= DECLARED_MAX) this.#writeLacks();
  }

  commit(digest: Uint8Array, notCarried: Iterable<number> = []): void {
    let declared: number[] = [];
    for (const entry of notCarried) {
      declared.push(entry);
      if (declared.length === DECLARED_MAX) declared = this.#declare(declared);
    }
    if (declared.length > 0) this.#declare(declared);
    this.#writeLacks();
    const { oldestProofMs } = this.#taken;
    const end = { pages: this.#pages, entries: this.#entries, digest };
    const isCarried = Number.isFinite(oldestProofMs);
    this.#write(encodeRecord("end", encodeManifestEnd({ ...end, oldestProofMs: isCarried ? oldestProofMs : 0 })));
    const fd = this.#takeFile();
    if (fd === undefined) return;
    commitOwnFile(this.#root, fd, { from: MANIFEST_DRAFT, to: MANIFEST, isSynced: this.#isSynced });
  }

  get takenAsUnchanged(): TakenAsUnchanged | undefined {
    const { oldestProofMs, ...taken } = this.#taken;
    return taken.files === 0 ? undefined : { ...taken, oldestProof: new Date(oldestProofMs).toISOString() };
  }

  discard(): void {
    const fd = this.#takeFile();
    if (fd === undefined) return;
    closeSync(fd);
    removeOwnFile(this.#root, MANIFEST_DRAFT);
  }

  #declare(entries: readonly number[]): number[] {
    this.#write(encodeRecord("declared", encodeDeclared(entries)));
    return [];
  }

  #writeLacks(): void {
    if (this.#lacks.size > 0) this.#write(encodeRecord("lacks", encodeLacks(this.#lacks)));
    this.#lacks = new Map();
  }

  #write(bytes: Buffer): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
  }

  #takeFile(): number | undefined {
    const fd = this.#fd;
    if (fd === undefined) return undefined;
    this.#fd = undefined;
    this.#before?.[Symbol.dispose]();
    return fd;
  }
}

function carriedFrom(before: ManifestReader): CarriedHashes {
  // A clock may be wrong by any amount.
  const copyMs = Math.min(before.meta.timeMs, PROOF_MS_MAX);
  return new CarriedHashes(before.pages(), { copyMs, oldestProofMs: before.end.oldestProofMs });
}

/** The manifest that is there; one that cannot be read knows nothing, and is about to be replaced. */
function earlier(root: Root): ManifestReader | undefined {
  try {
    return ManifestReader.open(root);
  } catch {
    return undefined;
  }
}
