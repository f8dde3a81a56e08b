import type Koffi from "koffi";
import { AES_KEY_BYTES, type AesGcm, NONCE_BYTES, TAG_BYTES } from "./aes-gcm.ts";

/** Of `EVP_CIPHER_CTX_ctrl`. */
const GET_TAG = 0x10;
const SET_TAG = 0x11;

/**
 * By the OpenSSL in Node.js itself, where it lies, without a buffer for its output. Lengths and places are those of the
 * arrays that are handed over; all else is checked before.
 *
 * @throws where Node.js does not offer the functions
 */
export function bindAesGcm(koffi: typeof Koffi): (key: Uint8Array) => AesGcm {
  const library = koffi.load(null);
  const newContext = library.func("EVP_CIPHER_CTX_new", "void *", []);
  const freeContext = library.func("EVP_CIPHER_CTX_free", "void", ["void *"]);
  const aes256Gcm = library.func("EVP_aes_256_gcm", "void *", []);
  const init = library.func("EVP_CipherInit_ex", "int", ["void *", "void *", "void *", "void *", "void *", "int"]);
  const update = library.func("EVP_CipherUpdate", "int", ["void *", "void *", "void *", "void *", "int"]);
  const final = library.func("EVP_CipherFinal_ex", "int", ["void *", "void *", "void *"]);
  const control = library.func("EVP_CIPHER_CTX_ctrl", "int", ["void *", "int", "int", "void *"]);
  const freed = new FinalizationRegistry<unknown>((context) => void freeContext(context));
  const written = Buffer.alloc(4);
  const rest = Buffer.alloc(TAG_BYTES);
  const check = (isDone: unknown): void => {
    if (isDone !== 1) throw new Error("OpenSSL refused AES-256-GCM");
  };

  return (key) => {
    if (key.length !== AES_KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes`);
    const contextOf = (encrypts: 0 | 1): unknown => {
      const context: unknown = newContext();
      if (context === null) throw new Error("OpenSSL has no memory for a context");
      check(init(context, aes256Gcm(), null, key, null, encrypts));
      return context;
    };
    const [sealing, opening] = [contextOf(1), contextOf(0)];
    const begin = (context: unknown, nonce: Uint8Array, head: Uint8Array, tag: Uint8Array): void => {
      if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES)
        throw new RangeError("a nonce or tag of another size");
      check(init(context, null, null, null, nonce, -1));
      check(update(context, null, written, head, head.length));
    };
    const gcm: AesGcm = {
      seal(nonce, head, body, tag) {
        begin(sealing, nonce, head, tag);
        check(update(sealing, body, written, body, body.length));
        check(final(sealing, rest, written));
        check(control(sealing, GET_TAG, TAG_BYTES, tag));
      },
      open(nonce, head, body, tag) {
        begin(opening, nonce, head, tag);
        check(update(opening, body, written, body, body.length));
        check(control(opening, SET_TAG, TAG_BYTES, tag));
        return final(opening, rest, written) === 1;
      },
    };
    for (const context of [sealing, opening]) freed.register(gcm, context);
    return gcm;
  };
}
