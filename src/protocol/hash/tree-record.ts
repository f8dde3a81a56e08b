import { ACCESS_ACL, type Attribute, DEFAULT_ACL } from "../frame/attribute-names.ts";
import { type ByteReader, ByteWriter, damaged } from "../frame/bytes.ts";
import { DELIVERED, WITHDRAWN } from "../frame/data-table.ts";
import { ENTRY_KINDS, type Keeps } from "../frame/page.ts";
import type { PageRows } from "../frame/page-rows.ts";
import type { Owner } from "../frame/page-tables.ts";
import { UNCHANGED } from "../frame/trailer.ts";
import { HASH_BYTES } from "../limits.ts";
import { blake3 } from "./blake3.ts";

/*
 * What the tree's digest says of one entry [P-7.2]: only what belongs to the tree, in one spelling.
 *
 *   record     = kind(u8) path(string) facts        ; kind as in a page [P-4], but for a hard link
 *              | 4(u8) path(string) first           ; a hard link: number of the record of its first name
 *              | 0(u8) path(string)                 ; a file that could not be read
 *   facts      = mode seconds(signed) microseconds owner attributes extra
 *   owner      = 0(u8) | 1(u8) uid gid user(string) group(string)
 *   attributes = 0(u8) | 1(u8) hash(32)              ; BLAKE3 of count *(name(string) value(string)), sorted by name
 *   extra      = size hash(32) | target(string) | type(u8) major minor | nothing
 *
 * What is not carried is 0, or not there. A link's mode means nothing, and is 0.
 */
const LOST = 0;
const SLASH = 0x2f;
const NO_NAME = new Uint8Array(0);
const NOTHING = Uint8Array.of(0);

/** Writes records of entries, with what their trailer says of their content. */
export class RecordWriter {
  readonly #out: ByteWriter;
  /** Most entries have the owner and the attributes of the one before. Each is encoded once, as long as it is the same object. */
  #owner: Owner | undefined;
  #ownerBytes: Uint8Array = NOTHING;
  #attributes: readonly Attribute[] | undefined;
  #attributesBytes: Uint8Array = NOTHING;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /**
   * Writes one record; `states` goes on behind the entry's state. False: it is a file that could not be read.
   *
   * @throws FanfoldError `damaged` for a state that says nothing of a file's content
   */
  add(rows: PageRows, index: number, states: ByteReader): boolean {
    const out = this.#out;
    const state = states.u8();
    const kind = rows.kind(index);
    const isLost = state === WITHDRAWN;
    out.u8(isLost ? LOST : kind);
    this.#path(rows, index);
    if (isLost) return false;
    if (kind === ENTRY_KINDS.file) this.#file(rows, index, { state, states });
    else {
      if (kind !== ENTRY_KINDS.hardlink) this.#listed(rows, index);
      // What only its kind has is written as in a page.
      out.part(rows.table, rows.extraStart(index), rows.extraEnd(index));
    }
    return true;
  }

  #file(
    rows: PageRows,
    index: number,
    { state, states }: { readonly state: number; readonly states: ByteReader },
  ): void {
    const isDelivered = state === DELIVERED;
    if (!isDelivered && state !== UNCHANGED) throw damaged("says nothing of the content of a file");
    const { keeps } = rows;
    const size = isDelivered ? states.varint() : rows.size(index);
    this.#mode(isDelivered ? states.varint() : rows.mode(index), keeps);
    if (isDelivered) this.#time(states.signed(), states.varint(), keeps);
    else this.#time(rows.seconds(index), rows.nanoseconds(index), keeps);
    this.#described(rows, index);
    this.#out.varint(size);
    states.moveTo(this.#out, HASH_BYTES);
  }

  #listed(rows: PageRows, index: number): void {
    const { keeps } = rows;
    this.#mode(rows.kind(index) === ENTRY_KINDS.symlink ? 0 : rows.mode(index), keeps);
    this.#time(rows.seconds(index), rows.nanoseconds(index), keeps);
    this.#described(rows, index);
  }

  #path(rows: PageRows, index: number): void {
    const out = this.#out;
    const directory = rows.directory(index);
    const start = rows.nameStart(index);
    const end = rows.nameEnd(index);
    const isInRoot = directory.length === 0;
    out.varint(isInRoot ? end - start : directory.length + 1 + end - start);
    if (!isInRoot) {
      out.raw(directory);
      out.u8(SLASH);
    }
    out.part(rows.table, start, end);
  }

  #mode(mode: number, { perms }: Keeps): void {
    this.#out.varint(perms ? mode : 0);
  }

  /** In whole microseconds: what every sink can set. */
  #time(seconds: number, nanoseconds: number, { times }: Keeps): void {
    this.#out.signed(times ? seconds : 0);
    this.#out.varint(times ? Math.floor(nanoseconds / 1000) : 0);
  }

  #described(rows: PageRows, index: number): void {
    const owner = rows.owner(index);
    if (owner !== this.#owner) this.#takeOwner(owner);
    this.#out.raw(this.#ownerBytes);
    const attributes = rows.attributes(index);
    if (attributes !== this.#attributes) {
      this.#attributes = attributes;
      this.#attributesBytes = encodeAttributes(attributes ?? [], rows.keeps.perms);
    }
    this.#out.raw(this.#attributesBytes);
  }

  #takeOwner(owner: Owner | undefined): void {
    this.#owner = owner;
    this.#ownerBytes = owner === undefined ? NOTHING : encodeOwner(owner);
  }
}

function encodeOwner({ uid, gid, user = NO_NAME, group = NO_NAME }: Owner): Buffer {
  const out = new ByteWriter(64);
  out.u8(1);
  out.varint(uid);
  out.varint(gid);
  out.string(user);
  out.string(group);
  return Buffer.from(out.view());
}

/** Access control lists go with the modes. A set that is not known counts as empty: nothing of it is carried. */
function encodeAttributes(attributes: readonly Attribute[], perms: boolean): Uint8Array {
  const set = perms ? attributes : attributes.filter(({ name }) => !isAcl(name));
  if (set.length === 0) return NOTHING;
  const out = new ByteWriter(256);
  out.varint(set.length);
  for (const { name, value } of set) {
    out.string(name);
    out.string(value);
  }
  return Buffer.concat([Uint8Array.of(1), blake3(out.view())]);
}

function isAcl(name: Uint8Array): boolean {
  const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1");
  return text === ACCESS_ACL || text === DEFAULT_ACL;
}
