import { createRequire } from "node:module";
import type Library from "@napi-rs/blake-hash";

let library: typeof Library | undefined;

/** The native library of BLAKE3, loaded by the first who hashes: the main thread of a sink does not. */
export function blakeLibrary(): typeof Library {
  library ??= createRequire(import.meta.url)("@napi-rs/blake-hash") as typeof Library;
  return library;
}
