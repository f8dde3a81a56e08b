/** Randomness as an argument. The only file that asks the system for it. */
export interface Random {
  /** At least 0, less than 1: for jitter, never for secrets. */
  fraction(): number;
  /** Cryptographically random bytes, as lower-case hex digits. */
  hex(bytes: number): string;
  /** Cryptographically random characters of `[a-z0-9]`. */
  id(chars: number): string;
}

/** Loads node:crypto when it is first asked: many threads never ask, and it takes a fifth of their start. */
function randomBytes(bytes: number): Buffer {
  return process.getBuiltinModule("node:crypto").randomBytes(bytes);
}

const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

export const systemRandom: Random = {
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  id(chars) {
    let out = "";
    while (out.length < chars) {
      // 252 = 7 * 36: bytes above it would make some characters likelier than others.
      for (const byte of randomBytes(chars)) if (byte < 252 && out.length < chars) out += ID_ALPHABET.charAt(byte % 36);
    }
    return out;
  },
};
