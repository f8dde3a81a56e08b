import { crc32 } from "node:zlib";
import { FanfoldError } from "../../lib/errors.ts";
import { ByteReader, ByteWriter, damaged } from "../../protocol/frame/bytes.ts";
import { decodeFinal, encodeFinal, passFinal } from "../../protocol/frame/data-table.ts";
import { type PageRows, readRows } from "../../protocol/frame/page-rows.ts";
import {
  AS_LISTED,
  type EncodedStates,
  type EntryState,
  STATE_BYTES,
  UNCHANGED,
} from "../../protocol/frame/trailer.ts";
import { FRAME_BYTES_MAX, HASH_BYTES, PAGE_ENTRIES_MAX } from "../../protocol/limits.ts";
import type { FidelityKind } from "../../protocol/messages/fidelity.ts";

/**
 * The manifest of a sink's folder, `.fanfold/manifest`: what the last finished copy put there, page by page.
 *
 *   manifest = "fanfoldM" version(u8) header *(page | lacks) *(declared | lacks) end
 *   record   = kind(u8) length(u32) crc(u32) body          ; little endian; CRC-32 over kind, length and body
 *   header   = session(string) session-id(string) source(string) time flags(u8)
 *                                                          ; time in milliseconds since 1970; flags: 1 owners by number, 2 written by root
 *   page     = body(string) count *state                   ; `body` as the page came [P-4]
 *   state    = 0 | 1 final | 2 | 4 hash(32)                 ; as in a trailer [P-7]
 *            | 3                                            ; of protocol versions before 11: not read, its content not known
 *            | 5                                            ; this sink could not carry it
 *   lacks    = count *(entry bits(u8))                     ; what of an entry could not be carried (docs/fidelity.md): see LACKS
 *   declared = count *entry                                 ; entries that turned out not to be carried at the very end
 *   end      = pages(u48) entries(u48) oldest(u48) digest(32)
 *                                                          ; of the tree; always the same length, so that a cut file shows at once
 *                                                          ; oldest: the oldest copy, in milliseconds since 1970, that proved
 *                                                          ; a content of state 4 which no hash in its page proves; 0: there is none
 *
 * A path may occur twice, when a file was read again: the later one counts.
 */
export const MANIFEST = "manifest";
/** While the session runs. */
export const MANIFEST_DRAFT = "manifest.new";

export const MAGIC = Buffer.from("fanfoldM");
export const MANIFEST_VERSION = 4;
const RECORD_KINDS = { header: 1, page: 2, declared: 3, end: 4, lacks: 5 } as const;
export type RecordKind = keyof typeof RECORD_KINDS;
export const RECORD_HEAD_BYTES = 9;
const COUNT_BYTES = 6;
/** As many as its field holds. */
export const PROOF_MS_MAX = 2 ** (8 * COUNT_BYTES) - 1;
const END_BODY_BYTES = 3 * COUNT_BYTES + HASH_BYTES;
export const END_BYTES = RECORD_HEAD_BYTES + END_BODY_BYTES;
/** A page as large as a frame may carry it, with its states. */
const RECORD_BYTES_MAX = FRAME_BYTES_MAX + PAGE_ENTRIES_MAX * 80;
/** Entries in one `declared` or `lacks` record. */
export const DECLARED_MAX = 4096;
const TEXT_BYTES_MAX = 1024;
const [NUMERIC_IDS, AS_ROOT] = [1, 2];

/** What an entry that is there may lack, as far as it can be seen afterwards. An entry may stand in several records: all count. */
export const LACKS = {
  owner: 1,
  setuid: 2,
  permissions: 4,
  time: 8,
  "time-fraction": 16,
  attributes: 32,
  acl: 64,
  "hard-link": 128,
} as const;
export type Lack = keyof typeof LACKS;

export function isLack(what: FidelityKind): what is Lack {
  return what in LACKS;
}

export interface ManifestMeta {
  /** Name of the session. */
  readonly session: string;
  readonly sessionId: string;
  /** Identity of the source. */
  readonly source: string;
  /** When the copy began, in milliseconds since 1970. */
  readonly timeMs: number;
  /** Owners were set by their numbers, whatever their names are here. */
  readonly numericIds: boolean;
  /** The sink ran as root, and could set attributes that only root may. */
  readonly asRoot: boolean;
}

export type ManifestState =
  | EntryState
  /** Not read in its session, by a protocol that told no content hash of such files. */
  | { readonly state: "not-read" }
  /** A problem of this sink: nothing is promised of it. */
  | { readonly state: "not-carried" };

export interface ManifestPage {
  readonly rows: PageRows;
  readonly states: EncodedStates;
}

export interface ManifestEnd {
  readonly pages: number;
  readonly entries: number;
  /** When the oldest copy began whose proof of a content is carried over here, in milliseconds since 1970. 0: none is. */
  readonly oldestProofMs: number;
  /** Of the tree. */
  readonly digest: Uint8Array;
}

export function encodeRecord(kind: RecordKind, body: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEAD_BYTES + body.length);
  record[0] = RECORD_KINDS[kind];
  record.writeUInt32LE(body.length, 1);
  record.set(body, RECORD_HEAD_BYTES);
  record.writeUInt32LE(crc32(body, crc32(record.subarray(0, 5))), 5);
  return record;
}

/** Length of the body that follows this head. @throws FanfoldError `manifest-damaged` */
export function bodyLength(head: Buffer): number {
  const length = head.readUInt32LE(1);
  if (length > RECORD_BYTES_MAX) throw manifestDamaged(`holds a record of ${length} bytes`);
  return length;
}

/** @throws FanfoldError `manifest-damaged` unless the checksum is right */
export function checkRecord(head: Buffer, body: Buffer): RecordKind {
  if (crc32(body, crc32(head.subarray(0, 5))) !== head.readUInt32LE(5))
    throw manifestDamaged("was altered: a checksum in it is wrong");
  for (const [kind, number] of Object.entries(RECORD_KINDS)) if (number === head[0]) return kind as RecordKind;
  throw manifestDamaged(`holds a record of the unknown kind ${head[0]}`);
}

export function encodeHeader(meta: ManifestMeta): Buffer {
  const out = new ByteWriter(256);
  for (const text of [meta.session, meta.sessionId, meta.source]) out.string(Buffer.from(text));
  out.varint(Math.max(0, Math.floor(meta.timeMs)));
  out.u8((meta.numericIds ? NUMERIC_IDS : 0) | (meta.asRoot ? AS_ROOT : 0));
  return out.view();
}

export function decodeHeader(body: Uint8Array): ManifestMeta {
  const bytes = new ByteReader(body);
  const text = (): string => Buffer.from(bytes.string(TEXT_BYTES_MAX)).toString();
  const meta = { session: text(), sessionId: text(), source: text(), timeMs: bytes.varint() };
  const flags = bytes.u8();
  if (flags > (NUMERIC_IDS | AS_ROOT)) throw damaged(`has the flags ${flags}`);
  bytes.end();
  return { ...meta, numericIds: (flags & NUMERIC_IDS) !== 0, asRoot: (flags & AS_ROOT) !== 0 };
}

export function encodeManifestPage(body: Uint8Array, { bytes, starts }: EncodedStates): Buffer {
  const written = bytes.subarray(starts[0], starts.at(-1));
  const out = new ByteWriter(body.length + written.length + 64);
  out.string(body);
  out.varint(starts.length - 1);
  out.raw(written);
  return out.view();
}

export function encodeManifestStates(states: readonly ManifestState[]): EncodedStates {
  const out = new ByteWriter(states.length * STATE_BYTES);
  const starts = new Uint32Array(states.length + 1);
  for (const [index, state] of states.entries()) {
    encodeState(out, state);
    starts[index + 1] = out.length;
  }
  return { bytes: out.view(), starts };
}

/** One of the states of a page in a manifest, or of a trailer, which are of the same form. */
export function manifestStateOf({ bytes, starts }: EncodedStates, index: number): ManifestState {
  return decodeState(new ByteReader(bytes.subarray(starts[index], starts[index + 1])));
}

export function decodeManifestPage(body: Uint8Array): ManifestPage {
  const bytes = new ByteReader(body);
  const rows = readRows(bytes.string(FRAME_BYTES_MAX));
  const count = bytes.varint();
  if (count !== rows.count) throw damaged(`has ${count} states for ${rows.count} entries`);
  const starts = new Uint32Array(count + 1);
  for (let index = 0; index < count; index += 1) {
    starts[index] = bytes.at;
    passManifestState(bytes);
  }
  starts[count] = bytes.at;
  bytes.end();
  return { rows, states: { bytes: body, starts } };
}

const NOT_READ = 3;
const NOT_CARRIED = 5;

function passManifestState(bytes: ByteReader): void {
  const state = bytes.u8();
  if (state === UNCHANGED) bytes.skip(HASH_BYTES);
  else if (state !== AS_LISTED && state !== NOT_READ && state !== NOT_CARRIED) passFinal(bytes, state);
}

function encodeState(out: ByteWriter, state: ManifestState): void {
  switch (state.state) {
    case "as-listed":
      out.u8(AS_LISTED);
      return;
    case "not-read":
      out.u8(NOT_READ);
      return;
    case "not-carried":
      out.u8(NOT_CARRIED);
      return;
    case "unchanged":
      out.u8(UNCHANGED);
      out.raw(state.hash);
      return;
    case "withdrawn":
      encodeFinal(out, undefined);
      return;
    case "delivered":
      encodeFinal(out, state.final);
      return;
    default:
      state satisfies never;
  }
}

function decodeState(bytes: ByteReader): ManifestState {
  const state = bytes.u8();
  if (state === AS_LISTED) return { state: "as-listed" };
  if (state === NOT_READ) return { state: "not-read" };
  if (state === UNCHANGED) return { state: "unchanged", hash: bytes.raw(HASH_BYTES) };
  if (state === NOT_CARRIED) return { state: "not-carried" };
  const final = decodeFinal(bytes, state);
  return final === undefined ? { state: "withdrawn" } : { state: "delivered", final };
}

export function encodeDeclared(entries: readonly number[]): Buffer {
  const out = new ByteWriter(entries.length * 5 + 8);
  out.varint(entries.length);
  for (const entry of entries) out.varint(entry);
  return out.view();
}

export function decodeDeclared(body: Uint8Array): number[] {
  const bytes = new ByteReader(body);
  const count = bytes.varint();
  if (count > DECLARED_MAX) throw damaged(`declares ${count} entries at once`);
  const entries: number[] = [];
  for (let index = 0; index < count; index += 1) entries.push(bytes.varint());
  bytes.end();
  return entries;
}

/** Bits of LACKS by the number of the entry. */
export function encodeLacks(lacks: ReadonlyMap<number, number>): Buffer {
  const out = new ByteWriter(lacks.size * 6 + 8);
  out.varint(lacks.size);
  for (const [entry, bits] of lacks) {
    out.varint(entry);
    out.u8(bits);
  }
  return out.view();
}

export function decodeLacks(body: Uint8Array): Map<number, number> {
  const bytes = new ByteReader(body);
  const count = bytes.varint();
  if (count > DECLARED_MAX) throw damaged(`tells what ${count} entries lack at once`);
  const lacks = new Map<number, number>();
  for (let index = 0; index < count; index += 1) lacks.set(bytes.varint(), bytes.u8());
  bytes.end();
  return lacks;
}

export function encodeManifestEnd({ pages, entries, oldestProofMs, digest }: ManifestEnd): Buffer {
  const body = Buffer.alloc(END_BODY_BYTES);
  body.writeUIntLE(pages, 0, COUNT_BYTES);
  body.writeUIntLE(entries, COUNT_BYTES, COUNT_BYTES);
  body.writeUIntLE(oldestProofMs, 2 * COUNT_BYTES, COUNT_BYTES);
  body.set(digest, 3 * COUNT_BYTES);
  return body;
}

export function decodeManifestEnd(body: Buffer): ManifestEnd {
  if (body.length !== END_BODY_BYTES) throw damaged(`has an end of ${body.length} bytes`);
  return {
    pages: body.readUIntLE(0, COUNT_BYTES),
    entries: body.readUIntLE(COUNT_BYTES, COUNT_BYTES),
    oldestProofMs: body.readUIntLE(2 * COUNT_BYTES, COUNT_BYTES),
    digest: body.subarray(3 * COUNT_BYTES),
  };
}

/** `what` continues a sentence that begins with "it". */
export function manifestDamaged(what: string, cause?: unknown): FanfoldError {
  return new FanfoldError("manifest-damaged", `cannot read the manifest: it ${what}`, { cause });
}
