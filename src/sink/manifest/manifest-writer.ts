import { closeSync, writeSync } from "node:fs";
import { sumBytes } from "../../lib/sum-bytes.ts";
import type { Entry, Page } from "../../protocol/frame/page.ts";
import type { FidelityKind } from "../../protocol/messages/fidelity.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import type { Root } from "../disk/root.ts";
import { commitOwnFile, createOwnFile, removeOwnFile } from "../own/own-files.ts";
import { CarriedHashes } from "./carried-hashes.ts";
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
  type ManifestState,
  PROOF_MS_MAX,
} from "./manifest.ts";
import { ManifestReader } from "./manifest-reader.ts";

/** Writes the manifest of a session while it runs. It counts only once it is committed; until then the old one stands. */
export interface ManifestWriter {
  /** The next page: its body as it came, and what is stored here of each entry. */
  page(page: Page, body: Uint8Array, states: readonly ManifestState[]): void;
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
  readonly #taken = { files: 0, bytes: 0, withoutProof: 0, oldestProofMs: Number.POSITIVE_INFINITY };
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

  page(page: Page, body: Uint8Array, states: readonly ManifestState[]): void {
    const known = page.entries.map((entry, index) => this.#withHash(entry, states[index] ?? { state: "not-carried" }));
    this.#write(encodeRecord("page", encodeManifestPage(body, known)));
    this.#pages += 1;
    this.#entries += page.entries.length;
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
    if (taken.files === 0) return undefined;
    return Number.isFinite(oldestProofMs)
      ? { ...taken, oldestProof: new Date(oldestProofMs).toISOString() }
      : { ...taken };
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

  #withHash(entry: Entry, state: ManifestState): ManifestState {
    if (entry.kind !== "file" || state.state !== "not-read") return state;
    if (entry.hash !== undefined) return { state: "unchanged", hash: entry.hash };
    const carried = this.#carried?.find(entry);
    if (entry.size > 0) this.#take(entry.size, carried?.provenMs);
    return carried === undefined ? state : { state: "unchanged", hash: carried.hash };
  }

  #take(bytes: number, provenMs: number | undefined): void {
    const taken = this.#taken;
    taken.files += 1;
    taken.bytes = sumBytes(taken.bytes, bytes);
    if (provenMs === undefined) taken.withoutProof += 1;
    else taken.oldestProofMs = Math.min(taken.oldestProofMs, provenMs);
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
