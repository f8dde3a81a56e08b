import { SpillFile, type SpillRecord } from "../../lib/disk/spill-file.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Frame, FrameType } from "../../protocol/frame/frame.ts";
import { decodeEnd } from "../../protocol/frame/marks.ts";
import { ENTRY_KINDS } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { decodeTrailer } from "../../protocol/frame/trailer.ts";
import { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import type { Root } from "../disk/root.ts";
import { emptyCounts } from "../engine/engine-counts.ts";
import type { CopyOptions } from "../engine/open-copy.ts";
import { SharedEntries } from "../engine/shared-entries.ts";
import { UnprovenPages } from "../engine/unproven-pages.ts";
import { type ManifestWriter, openManifestWriter } from "../manifest/manifest-writer.ts";
import { KnownDamage } from "../own/known-damage.ts";
import { recallTraits } from "../own/probe-folder.ts";
import { isDoubted } from "../own/sync-mark.ts";
import { checkEnd, checkWalked, PageStore } from "../stream/page-store.ts";
import { TreeOrder } from "../stream/tree-order.ts";
import { judgePage, type WantMessage } from "../wants/page-wants.ts";
import { UnreadFiles } from "../wants/unread-files.ts";
import { StandingEntries } from "./standing-entries.ts";

interface LookOptions extends Pick<CopyOptions, "origin" | "doubts" | "numericIds" | "isSynced" | "onBusy"> {
  /** Of the tree that the newest snapshot was proven to be, in hex. */
  readonly digest: string;
}

/**
 * Looks whether a stream says of each entry what the newest snapshot has. Nothing in the snapshot is ever changed. It keeps all frames
 * that it took, so that at the first difference, however late, they can be given to an engine that makes the next tree.
 */
export class UnchangedLook implements Disposable {
  readonly #root: Root;
  readonly #options: LookOptions;
  readonly #parts: DisposableStack;
  /** The root, which is closed before another one is opened: a thread has so many files. */
  readonly #door = new DisposableStack();
  /** All but the pages. */
  readonly #frames: SpillFile;
  readonly #taken: { readonly type: FrameType; readonly record: SpillRecord | undefined }[] = [];
  readonly #pageStore: PageStore;
  readonly #order: TreeOrder;
  readonly #proof: UnprovenPages;
  readonly #manifest: ManifestWriter;
  readonly #standing: StandingEntries;
  readonly #unread: UnreadFiles;
  readonly counts = emptyCounts();
  #digest: Buffer | undefined;

  /** Takes the root over, which is that of the newest snapshot. */
  constructor(root: Root, options: LookOptions) {
    using opening = new DisposableStack();
    this.#root = root;
    this.#door.use(root);
    opening.use(this.#door);
    this.#options = options;
    root.metadata.traits = recallTraits(root);
    root.damage = KnownDamage.read(root);
    this.#frames = opening.use(SpillFile.open());
    this.#pageStore = opening.use(new PageStore(SpillFile.open()));
    this.#order = opening.use(new TreeOrder({ pageStore: this.#pageStore, random: systemRandom }));
    this.#proof = new UnprovenPages(opening.use(new TreeDigest(() => SpillFile.open())));
    const { session, sessionId, source, startedMs } = options.origin;
    const meta = { session, sessionId, source, timeMs: startedMs, numericIds: options.numericIds };
    const manifest = openManifestWriter(root, { ...meta, asRoot: root.metadata.isRoot }, options.isSynced);
    opening.defer(() => manifest.discard());
    root.metadata.onLack = (entry, what) => manifest.lacks(entry, what);
    this.#manifest = manifest;
    const { onBusy, doubts } = options;
    const judged = { onBusy, isDoubted: (ctimeMs: number) => isDoubted(doubts, ctimeMs) };
    this.#standing = new StandingEntries({ root, pageStore: this.#pageStore, ...judged });
    this.#unread = new UnreadFiles({ root, shared: new SharedEntries(0), manifest, onBusy });
    this.#parts = opening.move();
  }

  /** Pages that have their trailers. */
  get pages(): number {
    return this.#proof.pages;
  }

  /** Digest of the tree, once the end mark came and all is as in the snapshot. */
  get digest(): Buffer | undefined {
    return this.#digest;
  }

  get takenAsUnchanged(): TakenAsUnchanged | undefined {
    return this.#manifest.takenAsUnchanged;
  }

  isThere(): boolean {
    return this.#door.disposed || this.#root.isThere();
  }

  /** Takes the next frame, and answers it. False when something differs, or is none of its business: then nothing was answered. */
  take({ type, table }: Frame, want: (want: WantMessage) => void): boolean {
    try {
      // Kept before it is answered: where that fails, nothing was answered either.
      const record = type === "page" ? undefined : this.#frames.append(table);
      if (!this.#isAsThere(type, table, want)) return false;
      this.#taken.push({ type, record });
    } catch (thrown) {
      // Whatever it is, the engine for all cases comes upon it, and says what it is.
      if (thrown instanceof FanfoldError || systemCode(thrown) !== undefined) return false;
      throw thrown;
    }
    return true;
  }

  /** Lets go of the snapshot and of its own manifest. */
  end(): void {
    this.#manifest.discard();
    this.#door.dispose();
  }

  /** What was taken, in order. */
  *again(): Generator<Pick<Frame, "type" | "table">, void, undefined> {
    let page = 0;
    for (const { type, record } of this.#taken) {
      const table = record === undefined ? this.#pageStore.table(page) : this.#frames.read(record);
      if (type === "page") page += 1;
      yield { type, table };
      this.#options.onBusy();
    }
  }

  [Symbol.dispose](): void {
    this.#parts[Symbol.dispose]();
  }

  #isAsThere(type: FrameType, table: Uint8Array, want: (want: WantMessage) => void): boolean {
    switch (type) {
      case "page":
        return this.#page(table, want);
      case "trailer":
        return this.#trailer(table);
      case "walked":
        if (this.counts.discoveryEnded) return false;
        checkWalked(table, this.#pageStore);
        this.counts.discoveryEnded = true;
        return true;
      case "padding":
      case "scope":
        // A snapshot is made without any deletion.
        return true;
      case "end":
        return this.#end(table);
      default:
        return false;
    }
  }

  #page(table: Uint8Array, want: (want: WantMessage) => void): boolean {
    // Behind the walk come files that were read again.
    if (this.counts.discoveryEnded) return false;
    const rows = this.#pageStore.add(table);
    this.#root.keeps = rows.keeps;
    for (let index = 0; index < rows.count; index += 1) {
      this.#order.take(rows, index);
      const isRoot = rows.first + index === 0;
      if (rows.kind(index) === ENTRY_KINDS.directory && !isRoot) this.#order.opens(rows, index, false);
      if (!this.#standing.has(rows, index)) return false;
    }
    this.#answer(rows, want);
    return true;
  }

  #answer(rows: PageRows, want: (want: WantMessage) => void): void {
    const { counts } = this;
    const judgement = judgePage(rows, () => true);
    const { filesUnchanged, bytesUnchanged } = judgement;
    this.#proof.setWants(rows.page, judgement.bits);
    for (const files of ["filesFound", "filesDone", "filesUnchanged"] as const) counts[files] += filesUnchanged;
    for (const bytes of ["bytesFound", "bytesDone", "bytesUnchanged"] as const)
      counts[bytes] = sumBytes(counts[bytes], bytesUnchanged);
    want(judgement.want);
  }

  #trailer(table: Uint8Array): boolean {
    const trailer = decodeTrailer(table);
    const rows = this.#pageStore.page(trailer.page);
    if (trailer.page !== this.pages || trailer.states.starts.length - 1 !== rows.count) return false;
    this.#root.keeps = rows.keeps;
    const isUnread = (index: number) => this.#proof.isUnread(rows, index, trailer);
    for (const _ of this.#unread.odd(rows, trailer.states, isUnread)) return false;
    this.#proof.prove(rows, { ...trailer, isAgain: false });
    this.#pageStore.close();
    this.#manifest.page(rows, trailer.states);
    return true;
  }

  #end(table: Uint8Array): boolean {
    const end = decodeEnd(table);
    checkEnd(end, this.#pageStore, this.pages);
    const { digest } = this.#proof;
    // What the source has no more shows here at the latest.
    if (!digest.equals(end.digest) || digest.toString("hex") !== this.#options.digest) return false;
    if (!this.#root.isThere()) return false;
    this.#manifest.commit(digest);
    this.#digest = digest;
    return true;
  }
}
