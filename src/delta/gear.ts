/**
 * One value of 32 bits for each byte, for cuts by content. They belong to the protocol: with others, nobody would find a
 * piece again. Value `b` is the finalizer of MurmurHash3 (32 bits) of `(b + 1) × 0x9e3779b9`, where all products are taken
 * modulo 2^32.
 *
 * Runs of one byte, whichever, are never cut by content: their pieces are as long as can be.
 */
export const GEAR = Int32Array.from({ length: 256 }, (_, byte) => mixed(Math.imul(byte + 1, 0x9e37_79b9)));

function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85eb_ca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2_ae35);
  return bits ^ (bits >>> 16);
}
