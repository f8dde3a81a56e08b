const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BITS_PER_CHAR = 5;

/** Base32 of RFC 4648 in upper case, without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let out = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= BITS_PER_CHAR) {
      bits -= BITS_PER_CHAR;
      out += ALPHABET.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? out : out + ALPHABET.charAt((value << (BITS_PER_CHAR - bits)) & 31);
}

/**
 * The bytes of a base32 text in either case, without padding; undefined when it is not one. Bits that are left over must
 * be zero, so that no two texts in one case have the same bytes.
 */
export function decodeBase32(text: string): Buffer | undefined {
  const out = Buffer.alloc(Math.floor((text.length * BITS_PER_CHAR) / 8));
  let at = 0;
  let bits = 0;
  let value = 0;
  for (const char of text) {
    const digit = digitOf(char);
    if (digit === -1) return undefined;
    value = (value << BITS_PER_CHAR) | digit;
    bits += BITS_PER_CHAR;
    if (bits < 8) continue;
    bits -= 8;
    out[at] = value >>> bits;
    at += 1;
    value &= (1 << bits) - 1;
  }
  return bits < BITS_PER_CHAR && value === 0 ? out : undefined;
}

/** `toUpperCase` turns some letters beyond ASCII into ASCII, so only these are mapped. */
function digitOf(char: string): number {
  return ALPHABET.indexOf(/^[a-z]$/.test(char) ? char.toUpperCase() : char);
}
