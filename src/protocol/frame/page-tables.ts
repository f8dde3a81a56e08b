import {
  ACCOUNT_NAME_BYTES_MAX,
  ATTRIBUTE_NAME_BYTES_MAX,
  ATTRIBUTES_BYTES_MAX,
  ATTRIBUTES_MAX,
  OWNER_ID_MAX,
  PAGE_ENTRIES_MAX,
} from "../limits.ts";
import type { Attribute } from "./attribute-names.ts";
import { type ByteReader, ByteWriter, damaged } from "./bytes.ts";

/**
 * What many entries of a page have in common stands once, in tables before the entries [P-4.2]:
 *
 *   owners = count *owner
 *   owner  = uid gid user(string) group(string)        ; a name is empty when the source has none for the number
 *   sets   = count *set
 *   set    = count *(name(string) value(string))       ; all extended attributes of an entry, sorted by name
 *
 * An entry refers to a row by its number, counted from 1; 0: nothing is told.
 */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly user?: Uint8Array | undefined;
  readonly group?: Uint8Array | undefined;
}

interface Described {
  readonly owner?: Owner | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
}

/** The rows of one page that is being made. */
export class PageTables {
  readonly #owners = new Rows(encodeOwner);
  readonly #sets = new Rows(encodeSet);

  /** Takes the owner that an entry refers to; returns the number of its row. */
  owner(owner: Owner | undefined): number {
    return owner === undefined ? 0 : this.#owners.add(owner);
  }

  /** The same of its attributes. */
  set(attributes: readonly Attribute[] | undefined): number {
    return attributes === undefined ? 0 : this.#sets.add(attributes);
  }

  /** Bytes by which the tables would grow. */
  growth({ owner, attributes }: Described): number {
    return (
      (owner === undefined ? 0 : this.#owners.growth(owner)) +
      (attributes === undefined ? 0 : this.#sets.growth(attributes))
    );
  }

  encode(out: ByteWriter): void {
    this.#owners.encode(out);
    this.#sets.encode(out);
  }
}

/** Rows, each encoded once, in the order of their first use. What is the same object needs no second look. */
class Rows<T extends object> {
  readonly #encode: (row: T) => Buffer;
  readonly #known = new Map<T, number>();
  readonly #numbers = new Map<string, number>();
  readonly #rows: Buffer[] = [];
  /** Most entries refer to the row that the one before has referred to. */
  #last: T | undefined;
  #lastNumber = 0;

  constructor(encode: (row: T) => Buffer) {
    this.#encode = encode;
  }

  add(row: T): number {
    if (row !== this.#last) {
      this.#lastNumber = this.#find(row);
      this.#last = row;
    }
    return this.#lastNumber;
  }

  growth(row: T): number {
    if (row === this.#last || this.#known.has(row)) return 0;
    const encoded = this.#encode(row);
    return this.#numbers.has(encoded.toString("latin1")) ? 0 : encoded.length;
  }

  encode(out: ByteWriter): void {
    out.varint(this.#rows.length);
    for (const row of this.#rows) out.raw(row);
  }

  #find(row: T): number {
    const known = this.#known.get(row);
    if (known !== undefined) return known;
    const number = this.#numberOf(this.#encode(row));
    this.#known.set(row, number);
    return number;
  }

  #numberOf(encoded: Buffer): number {
    const key = encoded.toString("latin1");
    const number = this.#numbers.get(key) ?? this.#rows.push(encoded);
    this.#numbers.set(key, number);
    return number;
  }
}

const NO_NAME = new Uint8Array(0);

function encodeOwner(owner: Owner): Buffer {
  const out = new ByteWriter(64);
  out.varint(owner.uid);
  out.varint(owner.gid);
  out.string(owner.user ?? NO_NAME);
  out.string(owner.group ?? NO_NAME);
  return Buffer.from(out.view());
}

function encodeSet(attributes: readonly Attribute[]): Buffer {
  const out = new ByteWriter(256);
  out.varint(attributes.length);
  for (const { name, value } of attributes) {
    out.string(name);
    out.string(value);
  }
  return Buffer.from(out.view());
}

export interface DecodedTables {
  readonly owners: readonly Owner[];
  readonly sets: readonly (readonly Attribute[])[];
}

/** @throws FanfoldError `damaged` */
export function decodeTables(bytes: ByteReader): DecodedTables {
  const owners = rows(bytes, "owners", decodeOwner);
  return { owners, sets: rows(bytes, "sets of attributes", decodeSet) };
}

/** The row that an entry refers to; undefined for none. @throws FanfoldError `damaged` */
export function rowOf<T>(table: readonly T[], number: number, what: string): T | undefined {
  if (number === 0) return undefined;
  const row = table[number - 1];
  if (row === undefined) throw damaged(`refers to ${what} ${number} of ${table.length}`);
  return row;
}

function rows<T>(bytes: ByteReader, what: string, decode: (bytes: ByteReader) => T): T[] {
  const count = bytes.varint();
  if (count > PAGE_ENTRIES_MAX) throw damaged(`announces ${count} ${what} in one page`);
  const table: T[] = [];
  for (let index = 0; index < count; index += 1) table.push(decode(bytes));
  return table;
}

/** Why no page may hold this owner, as a clause. The largest number means "leave it as it is" to the system. */
export function ownerFault({ uid, gid, user = NO_NAME, group = NO_NAME }: Owner): string | undefined {
  if (Math.max(uid, gid) > OWNER_ID_MAX) return `holds the owner ${Math.max(uid, gid)}`;
  if (Math.max(user.length, group.length) > ACCOUNT_NAME_BYTES_MAX)
    return `holds an owner's name of more than ${ACCOUNT_NAME_BYTES_MAX} bytes`;
  return user.includes(0) || group.includes(0) ? "holds an owner's name with a NUL byte" : undefined;
}

function decodeOwner(bytes: ByteReader): Owner {
  const [uid, gid] = [bytes.varint(), bytes.varint()];
  const [user, group] = [bytes.string(ACCOUNT_NAME_BYTES_MAX), bytes.string(ACCOUNT_NAME_BYTES_MAX)];
  const owner = {
    uid,
    gid,
    ...(user.length === 0 ? {} : { user }),
    ...(group.length === 0 ? {} : { group }),
  };
  const fault = ownerFault(owner);
  if (fault !== undefined) throw damaged(fault);
  return owner;
}

/** Why no page may hold these attributes of one entry, as a clause. */
export function attributesFault(set: readonly Attribute[]): string | undefined {
  if (set.length > ATTRIBUTES_MAX) return `announces ${set.length} attributes of one entry`;
  let total = 0;
  for (const [index, { name, value }] of set.entries()) {
    const before = set[index - 1];
    if (name.length === 0 || name.includes(0)) return "holds an attribute without a name, or with a NUL byte";
    if (name.length > ATTRIBUTE_NAME_BYTES_MAX) return `holds an attribute with a name of ${name.length} bytes`;
    if (before !== undefined && Buffer.compare(before.name, name) >= 0) return "holds attributes out of order";
    total += name.length + value.length;
  }
  return total > ATTRIBUTES_BYTES_MAX ? `holds ${total} bytes of attributes of one entry` : undefined;
}

function decodeSet(bytes: ByteReader): readonly Attribute[] {
  const count = bytes.varint();
  if (count > ATTRIBUTES_MAX) throw damaged(`announces ${count} attributes of one entry`);
  const set: Attribute[] = [];
  for (let index = 0; index < count; index += 1)
    set.push({ name: bytes.string(ATTRIBUTE_NAME_BYTES_MAX), value: bytes.string(ATTRIBUTES_BYTES_MAX) });
  const fault = attributesFault(set);
  if (fault !== undefined) throw damaged(fault);
  return set;
}
