import { closeSync, fstatSync, readSync } from "node:fs";
import { FanfoldError } from "../../lib/errors.ts";
import { type OwnPlace, openOwnFile } from "../own/own-files.ts";
import {
  bodyLength,
  checkRecord,
  decodeDeclared,
  decodeHeader,
  decodeLacks,
  decodeManifestEnd,
  decodeManifestPage,
  END_BYTES,
  MAGIC,
  MANIFEST,
  MANIFEST_VERSION,
  type ManifestEnd,
  type ManifestMeta,
  type ManifestPage,
  manifestDamaged,
  RECORD_HEAD_BYTES,
  type RecordKind,
} from "./manifest.ts";

/** Least bytes that an entry and its state take: bounds what the counts at the end may make us allocate. */
const ENTRY_BYTES_MIN = 5;

interface RawRecord {
  readonly kind: RecordKind;
  readonly body: Buffer;
  /** Offset of what follows. */
  readonly end: number;
}

/** What a manifest says of entries beside its pages; their numbers may be any. */
export interface ManifestNotes {
  /** Not carried, as turned out at the very end. */
  declared?(entry: number): void;
  /** There, but for this: bits of LACKS. */
  lacks?(entry: number, bits: number): void;
}

/** A manifest that is complete by its look: it begins and ends as one. Holds one record at a time in memory. */
export class ManifestReader implements Disposable {
  readonly meta: ManifestMeta;
  readonly end: ManifestEnd;
  readonly #fd: number;
  readonly #first: number;
  readonly #endsAt: number;
  /** Of the whole file. */
  readonly bytes: number;

  private constructor(fd: number) {
    this.#fd = fd;
    const { size } = fstatSync(fd);
    const start = Buffer.alloc(MAGIC.length + 1);
    if (size < start.length + END_BYTES || !this.#read(start, 0) || !start.subarray(0, -1).equals(MAGIC))
      throw manifestDamaged("does not begin as one, or is cut off");
    const version = start[MAGIC.length] ?? 0;
    if (version !== MANIFEST_VERSION)
      throw manifestDamaged(`has the format ${version}, expected ${MANIFEST_VERSION}: another version wrote it`);
    this.bytes = size;
    this.#endsAt = size - END_BYTES;
    const header = this.#record(start.length, "header");
    this.meta = decoded(() => decodeHeader(header.body));
    this.#first = header.end;
    const last = this.#record(this.#endsAt, "end");
    this.end = decoded(() => decodeManifestEnd(last.body));
    if (last.end !== size || this.end.entries > size / ENTRY_BYTES_MIN) throw manifestDamaged("does not end as one");
  }

  /**
   * The manifest in a place of our own, or undefined when there is none.
   *
   * @throws FanfoldError `manifest-damaged`; system errors
   */
  static open(place: OwnPlace, name = MANIFEST): ManifestReader | undefined {
    const fd = openOwnFile(place, name);
    if (fd === undefined) return undefined;
    try {
      return new ManifestReader(fd);
    } catch (thrown) {
      closeSync(fd);
      throw thrown;
    }
  }

  /**
   * Every page in its order; what else it says of entries goes to `notes`.
   *
   * @throws FanfoldError `manifest-damaged`, at the latest when all of it was read
   */
  *pages(notes: ManifestNotes = {}): Generator<ManifestPage, void, undefined> {
    let [pages, entries] = [0, 0];
    for (const record of this.#records()) {
      if (tookNote(record, notes)) continue;
      const next = decoded(() => decodeManifestPage(record.body));
      if (next.rows.page !== pages || next.rows.first !== entries) throw manifestDamaged("holds pages out of order");
      pages += 1;
      entries += next.rows.count;
      yield next;
    }
    if (pages !== this.end.pages || entries !== this.end.entries)
      throw manifestDamaged(`holds ${pages} pages, expected ${this.end.pages}`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  *#records(): Generator<RawRecord, void, undefined> {
    for (let at = this.#first; at < this.#endsAt; ) {
      const record = this.#record(at);
      if (record.kind === "header" || record.kind === "end" || record.end > this.#endsAt)
        throw manifestDamaged("holds records out of order");
      yield record;
      at = record.end;
    }
  }

  #record(at: number, expected?: RecordKind): RawRecord {
    const head = Buffer.alloc(RECORD_HEAD_BYTES);
    if (!this.#read(head, at)) throw manifestDamaged("is cut off");
    const body = Buffer.allocUnsafe(bodyLength(head));
    if (!this.#read(body, at + RECORD_HEAD_BYTES)) throw manifestDamaged("is cut off");
    const kind = checkRecord(head, body);
    if (expected !== undefined && kind !== expected) throw manifestDamaged(`has no ${expected} where it belongs`);
    return { kind, body, end: at + RECORD_HEAD_BYTES + body.length };
  }

  /** Fills `into` from the file; false when the file ends before. */
  #read(into: Buffer, at: number): boolean {
    let done = 0;
    while (done < into.length) {
      const count = readSync(this.#fd, into, done, into.length - done, at + done);
      if (count === 0) return false;
      done += count;
    }
    return true;
  }
}

/** Tells what a record says of entries, if it is no page. */
function tookNote({ kind, body }: RawRecord, notes: ManifestNotes): boolean {
  if (kind === "lacks") for (const [entry, bits] of decoded(() => decodeLacks(body))) notes.lacks?.(entry, bits);
  else if (kind === "declared") for (const entry of decoded(() => decodeDeclared(body))) notes.declared?.(entry);
  else return false;
  return true;
}

/** What a decoder refuses in spite of a right checksum. */
function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw manifestDamaged(`does not decode: ${FanfoldError.from(cause).message}`, cause);
  }
}
