import { closeSync, writeSync } from "node:fs";
import type { Entry, Page } from "../../protocol/frame/page.ts";
import type { FidelityKind } from "../../protocol/messages/fidelity.ts";
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
} from "./manifest.ts";
import { ManifestReader } from "./manifest-reader.ts";

/** Writes the manifest of a session while it runs. It counts only once it is committed; until then the old one stands. */
export interface ManifestWriter {
  /** The next page: its body as it came, and what is stored here of each entry. */
  page(page: Page, body: Uint8Array, states: readonly ManifestState[]): void;
  /** An entry is there, but for this; what cannot be seen afterwards is passed over. */
  lacks(entry: number, what: FidelityKind): void;
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
  /** Not written yet. */
  #lacks = new Map<number, number>();

  constructor(root: Root, meta: ManifestMeta, isSynced: boolean) {
    this.#root = root;
    this.#isSynced = isSynced;
    this.#fd = createOwnFile(root, MANIFEST_DRAFT);
    this.#before = earlier(root);
    if (this.#before !== undefined) this.#carried = new CarriedHashes(this.#before.pages());
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
    this.#write(encodeRecord("end", encodeManifestEnd({ pages: this.#pages, entries: this.#entries, digest })));
    const fd = this.#take();
    if (fd === undefined) return;
    commitOwnFile(this.#root, fd, { from: MANIFEST_DRAFT, to: MANIFEST, isSynced: this.#isSynced });
  }

  discard(): void {
    const fd = this.#take();
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
    const hash = entry.hash ?? this.#carried?.find(entry);
    return hash === undefined ? state : { state: "unchanged", hash };
  }

  #write(bytes: Buffer): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
  }

  #take(): number | undefined {
    const fd = this.#fd;
    if (fd === undefined) return undefined;
    this.#fd = undefined;
    this.#before?.[Symbol.dispose]();
    return fd;
  }
}

/** The manifest that is there; one that cannot be read knows nothing, and is about to be replaced. */
function earlier(root: Root): ManifestReader | undefined {
  try {
    return ManifestReader.open(root);
  } catch {
    return undefined;
  }
}
