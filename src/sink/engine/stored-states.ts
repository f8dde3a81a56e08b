import { ByteWriter } from "../../protocol/frame/bytes.ts";
import { encodeFinal, type FileFinal } from "../../protocol/frame/data-table.ts";
import { type EncodedStates, STATE_BYTES } from "../../protocol/frame/trailer.ts";

const OPEN = 0;
const NOTHING = 1;
const STORED = 2;

/** The files of one page that are closed: what is stored of each, in the bytes in which a trailer says it [P-7]. */
export class StoredStates {
  readonly #kinds: Uint8Array;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #written: ByteWriter;
  /** All that is written; undefined when more came since. */
  #view: Buffer | undefined;

  constructor(entries: number) {
    this.#kinds = new Uint8Array(entries);
    this.#starts = new Uint32Array(entries);
    this.#ends = new Uint32Array(entries);
    this.#written = new ByteWriter(entries * STATE_BYTES);
  }

  /** `final` undefined: nothing of the file is stored. */
  close(index: number, final: FileFinal | undefined): void {
    this.#kinds[index] = final === undefined ? NOTHING : STORED;
    if (final === undefined) return;
    this.#view = undefined;
    this.#starts[index] = this.#written.length;
    encodeFinal(this.#written, final);
    this.#ends[index] = this.#written.length;
  }

  isClosed(index: number): boolean {
    return this.#kinds[index] !== OPEN;
  }

  isStored(index: number): boolean {
    return this.#kinds[index] === STORED;
  }

  /** Whether what is stored of the file is exactly what its state in a trailer says: one state has one spelling. */
  is(index: number, { bytes, starts }: EncodedStates): boolean {
    if (!this.isStored(index)) return false;
    this.#view ??= this.#written.view();
    return this.#view.compare(bytes, starts[index], starts[index + 1], this.#starts[index], this.#ends[index]) === 0;
  }
}
