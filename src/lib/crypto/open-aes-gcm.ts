import { loadKoffi } from "../koffi.ts";
import { type AesGcm, plainAesGcm } from "./aes-gcm.ts";
import { bindAesGcm } from "./openssl-aes-gcm.ts";

let bound: ((key: Uint8Array) => AesGcm) | undefined;

/** @param key AES_KEY_BYTES. By calls of the OpenSSL in Node.js, which takes a quarter of the time, or by node:crypto. */
export function openAesGcm(key: Uint8Array): AesGcm {
  bound ??= bind() ?? plainAesGcm;
  return bound(key);
}

function bind(): typeof bound {
  const koffi = loadKoffi();
  try {
    return koffi === undefined ? undefined : bindAesGcm(koffi);
  } catch {
    // A Node.js that keeps its OpenSSL to itself.
    return undefined;
  }
}
