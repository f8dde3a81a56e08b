import { createCipheriv, createHash } from "node:crypto";

const MIB = 1024 * 1024;

/** Bytes without a pattern, the same for the same name. */
export class Noise {
  static readonly #ZEROS = Buffer.alloc(MIB);
  readonly #cipher: ReturnType<typeof createCipheriv>;

  constructor(name: string) {
    this.#cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(name).digest(), Buffer.alloc(16));
  }

  take(bytes: number): Buffer {
    return this.#cipher.update(Noise.#ZEROS.subarray(0, bytes));
  }
}
