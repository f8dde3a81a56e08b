/**
 * What the entries of one page say, a row for each: numbers in columns, so that a page of a thousand entries is no thousand
 * objects. Offsets are into the page's table. All columns lie in one piece of memory.
 */
export class PageColumns {
  /** Whole seconds of the time since 1970, and nanoseconds on top of them. */
  readonly seconds: Float64Array;
  readonly nanoseconds: Uint32Array;
  /** Of a file. */
  readonly sizes: Float64Array;
  /** What a file with holes takes; NO_ROOM for all others. */
  readonly rooms: Float64Array;
  readonly nameStarts: Uint32Array;
  /** Where the hash of a file is; 0: its page has none. */
  readonly hashes: Uint32Array;
  /** What only its kind has: from there to the end of the entry. */
  readonly extraStarts: Uint32Array;
  readonly extraEnds: Uint32Array;
  readonly modes: Uint16Array;
  /** Index of the directory that it is in. */
  readonly groups: Uint16Array;
  /** Rows of the tables, from 1; 0: nothing is told. */
  readonly owners: Uint16Array;
  readonly sets: Uint16Array;
  /** As in the table. */
  readonly kinds: Uint8Array;
  readonly nameLengths: Uint8Array;

  constructor(rows: number) {
    const memory = new ArrayBuffer(rows * ROW_BYTES);
    let at = 0;
    const next = (bytes: number): number => {
      const from = at;
      at += bytes * rows;
      return from;
    };
    this.seconds = new Float64Array(memory, next(8), rows);
    this.sizes = new Float64Array(memory, next(8), rows);
    this.rooms = new Float64Array(memory, next(8), rows);
    this.nanoseconds = new Uint32Array(memory, next(4), rows);
    this.nameStarts = new Uint32Array(memory, next(4), rows);
    this.hashes = new Uint32Array(memory, next(4), rows);
    this.extraStarts = new Uint32Array(memory, next(4), rows);
    this.extraEnds = new Uint32Array(memory, next(4), rows);
    this.modes = new Uint16Array(memory, next(2), rows);
    this.groups = new Uint16Array(memory, next(2), rows);
    this.owners = new Uint16Array(memory, next(2), rows);
    this.sets = new Uint16Array(memory, next(2), rows);
    this.kinds = new Uint8Array(memory, next(1), rows);
    this.nameLengths = new Uint8Array(memory, next(1), rows);
  }
}

const ROW_BYTES = 3 * 8 + 5 * 4 + 4 * 2 + 2;
export const NO_ROOM = -1;
