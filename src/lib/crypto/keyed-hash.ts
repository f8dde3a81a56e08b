/** Bytes of a key. */
export const HASH_KEY_BYTES = 8;

/**
 * HalfSipHash-2-4 with 64 bits (https://github.com/veorq/SipHash): a hash of short inputs under a secret key. Nobody
 * without the key can choose inputs that share a hash. So nobody can make a table of them slow or wrong on purpose.
 */
export class KeyedHash {
  readonly #low: number;
  readonly #high: number;
  /** Words of the latest hash, unsigned. */
  first = 0;
  second = 0;

  /** @param key HASH_KEY_BYTES random bytes */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, HASH_KEY_BYTES);
    this.#low = view.getInt32(0, true);
    this.#high = view.getInt32(4, true);
  }

  /** Hashes the first `length` of `bytes` into `first` and `second`. */
  hash(bytes: Uint8Array, length = bytes.length): void {
    let [v0, v1] = [this.#low, this.#high ^ 0xee];
    let [v2, v3] = [0x6c796765 ^ this.#low, 0x74656462 ^ this.#high];
    const words = (length >> 2) + 1;
    // Two rounds for each word of the input, and four for each word of the hash.
    for (let step = 0; step < words + 4; step += 1) {
      let word = 0;
      if (step < words) word = wordAt(bytes, step * 4, length);
      else if (step === words) v2 ^= 0xee;
      else if (step === words + 2) {
        this.first = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      }
      v3 ^= word;
      for (let round = 0; round < 2; round += 1) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
    }
    this.second = (v1 ^ v3) >>> 0;
  }
}

/** Four bytes, the least significant first. The last word has what is left of them, and the length on top. */
function wordAt(bytes: Uint8Array, at: number, length: number): number {
  if (at + 4 <= length)
    return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  let word = length << 24;
  for (let index = at; index < length; index += 1) word |= (bytes[index] ?? 0) << (8 * (index - at));
  return word;
}
