import { cuttingFor } from "../../delta/cutting.ts";
import type { Recipe } from "../../delta/recipe.ts";
import type { LeafLog } from "../../protocol/hash/content-hash.ts";
import { HASH_BYTES, LEAF_BYTES, PIECE_HASH_BYTES } from "../../protocol/limits.ts";

/** The leaves of a file whose content comes: they are its pieces where it is cut by place. */
export class LeafPieces implements LeafLog {
  readonly piecesMax: number;
  readonly #hashes: Buffer;
  #count = 0;

  /** Takes room for so many. */
  constructor(piecesMax: number) {
    this.piecesMax = piecesMax;
    this.#hashes = Buffer.alloc(piecesMax * PIECE_HASH_BYTES);
  }

  clear(): void {
    this.#count = 0;
  }

  /** Leaves behind the last one there is room for are counted alone. */
  take(leaves: Uint8Array): void {
    for (let at = 0; at < leaves.length; at += HASH_BYTES, this.#count += 1)
      if (this.#count < this.piecesMax)
        this.#hashes.set(leaves.subarray(at, at + PIECE_HASH_BYTES), this.#count * PIECE_HASH_BYTES);
  }

  /** Of the file, when all of it came. Undefined when it has another length than it was to have. */
  recipe(size: number): Recipe | undefined {
    const cutting = cuttingFor("fixed", size);
    const isWhole = this.#count === Math.ceil(size / LEAF_BYTES) && this.#count <= this.piecesMax;
    if (!isWhole || cutting.averageBytes !== LEAF_BYTES) return undefined;
    const lengths = new Uint32Array(this.#count).fill(LEAF_BYTES);
    lengths[this.#count - 1] = size - (this.#count - 1) * LEAF_BYTES;
    return { cutting, size, lengths, hashes: this.#hashes.subarray(0, this.#count * PIECE_HASH_BYTES) };
  }
}
