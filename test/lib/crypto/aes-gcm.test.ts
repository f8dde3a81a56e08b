import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { AES_KEY_BYTES, NONCE_BYTES, plainAesGcm, TAG_BYTES } from "../../../src/lib/crypto/aes-gcm.ts";
import { bindAesGcm } from "../../../src/lib/crypto/openssl-aes-gcm.ts";
import { loadKoffi } from "../../../src/lib/koffi.ts";

const koffi = loadKoffi();
const HEAD = Buffer.from("head");
const SIZES = [0, 1, 15, 16, 17, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 1_000_000];

function sealed(cipher: ReturnType<typeof plainAesGcm>, nonce: Uint8Array, plain: Uint8Array) {
  // Shared memory, as frames lie in.
  const body = new Uint8Array(new SharedArrayBuffer(plain.length));
  body.set(plain);
  const tag = Buffer.alloc(TAG_BYTES);
  cipher.seal(nonce, HEAD, body, tag);
  return { body, tag };
}

// Test case 15 of the specification of GCM, which NIST took over.
test("AES-256-GCM is that of its specification", () => {
  const key = Buffer.from("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "hex");
  const plain = Buffer.from(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    "hex",
  );
  const tag = Buffer.alloc(TAG_BYTES);
  plainAesGcm(key).seal(Buffer.from("cafebabefacedbaddecaf888", "hex"), Buffer.alloc(0), plain, tag);
  expect(plain.subarray(0, 16).toString("hex")).toBe("522dc1f099567d07f47f37a32a84427d");
  expect(tag.toString("hex")).toBe("b094dac5d93471bdec1a502270e3cc6c");
});

describe.skipIf(koffi === undefined)("by calls of OpenSSL", () => {
  const bind = koffi === undefined ? plainAesGcm : bindAesGcm(koffi);

  test.each(SIZES)("%i bytes become the same as by node:crypto, and come back", (size) => {
    const key = randomBytes(AES_KEY_BYTES);
    const [called, plain] = [bind(key), plainAesGcm(key)];
    const content = randomBytes(size);
    for (let turn = 0; turn < 3; turn += 1) {
      const nonce = Buffer.alloc(NONCE_BYTES, turn);
      const { body, tag } = sealed(called, nonce, content);
      const wanted = sealed(plain, nonce, content);
      // Of large arrays the comparison of each number takes minutes.
      expect(Buffer.compare(body, wanted.body)).toBe(0);
      expect(tag).toEqual(wanted.tag);
      expect(called.open(nonce, HEAD, body, tag)).toBe(true);
      expect(Buffer.compare(body, content)).toBe(0);
    }
  });

  test("what was altered does not open, and the next one does", () => {
    const cipher = bind(randomBytes(AES_KEY_BYTES));
    const nonce = Buffer.alloc(NONCE_BYTES, 1);
    const content = randomBytes(1000);
    const { body, tag } = sealed(cipher, nonce, content);
    for (const spoil of [0, 500, 999]) {
      const altered = Uint8Array.from(body);
      altered[spoil] = (altered[spoil] ?? 0) ^ 1;
      expect(cipher.open(nonce, HEAD, altered, tag)).toBe(false);
    }
    const otherTag = Uint8Array.from(tag);
    otherTag[15] = (otherTag[15] ?? 0) ^ 0x80;
    expect(cipher.open(nonce, HEAD, Uint8Array.from(body), otherTag)).toBe(false);
    expect(cipher.open(nonce, Buffer.from("Head"), Uint8Array.from(body), tag)).toBe(false);
    expect(cipher.open(Buffer.alloc(NONCE_BYTES, 2), HEAD, Uint8Array.from(body), tag)).toBe(false);
    expect(cipher.open(nonce, HEAD, body, tag)).toBe(true);
    expect(Buffer.compare(body, content)).toBe(0);
  });

  test("refuses keys, nonces and tags of other sizes before it calls anything", () => {
    expect(() => bind(Buffer.alloc(16))).toThrow(RangeError);
    const cipher = bind(randomBytes(AES_KEY_BYTES));
    const body = Buffer.alloc(16);
    expect(() => cipher.seal(Buffer.alloc(8), HEAD, body, Buffer.alloc(TAG_BYTES))).toThrow(RangeError);
    expect(() => cipher.open(Buffer.alloc(NONCE_BYTES), HEAD, body, Buffer.alloc(8))).toThrow(RangeError);
  });
});
