const SLOTS_MIN = 1024;
const LOW_BITS = 32n;
const LOW_MASK = 0xffff_ffffn;
/** Odd, so that neighbouring numbers, which are the rule, come far from each other. */
const SPREAD = 0x9e37_79b1;

/** Inode numbers of one file system, of which there may be millions: 8 bytes for a slot, and at most half of them are used. */
export class InodeSet {
  #low = new Uint32Array(SLOTS_MIN);
  #high = new Uint32Array(SLOTS_MIN);
  #count = 0;

  /** False when it is there already. No file has the number 0. */
  add(inode: bigint): boolean {
    if ((this.#count + 1) * 2 > this.#low.length) this.#grow();
    const isNew = this.#put(Number(inode & LOW_MASK), Number(inode >> LOW_BITS));
    if (isNew) this.#count += 1;
    return isNew;
  }

  #put(low: number, high: number): boolean {
    const mask = this.#low.length - 1;
    for (let slot = (Math.imul(low ^ high, SPREAD) >>> 0) & mask; ; slot = (slot + 1) & mask) {
      const [foundLow, foundHigh] = [this.#low[slot] ?? 0, this.#high[slot] ?? 0];
      if (foundLow === low && foundHigh === high) return false;
      if (foundLow !== 0 || foundHigh !== 0) continue;
      this.#low[slot] = low;
      this.#high[slot] = high;
      return true;
    }
  }

  #grow(): void {
    const [low, high] = [this.#low, this.#high];
    this.#low = new Uint32Array(low.length * 2);
    this.#high = new Uint32Array(low.length * 2);
    for (let slot = 0; slot < low.length; slot += 1) {
      const [first = 0, second = 0] = [low[slot], high[slot]];
      if (first !== 0 || second !== 0) this.#put(first, second);
    }
  }
}
