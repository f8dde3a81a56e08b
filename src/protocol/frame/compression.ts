import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Of a frame that is sent compressed, the content has become smaller by a tenth at least: less is not worth the undoing. */
const KEPT_MAX = 0.9;
/** Content below this stays as it is: most of such a frame is header and table. */
export const COMPRESSED_CONTENT_BYTES_MIN = 4 * 1024;
/** Fastest of the levels that find what text repeats. Higher ones take half as long again, and save a tenth. */
const LEVEL = 1;
/**
 * Largest window that a receiver decodes with, as a power of two: 4 MiB, as long as a frame may be. A sender could ask for 2 GiB.
 */
const WINDOW_LOG_MAX = 22;
/** Node.js cuts smaller results from memory that they share with others. */
const OWN_MEMORY_BYTES = 64 * 1024;

/** One zstd frame (RFC 8878), or undefined for content that does not shrink enough. It lies in memory of its own. */
export function compressContent(content: Uint8Array): Uint8Array | undefined {
  const bytesMax = Math.floor(content.length * KEPT_MAX);
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  const compressed = zstdCompressSync(content, { chunkSize: Math.max(bytesMax + 1, OWN_MEMORY_BYTES), params });
  if (compressed.length <= bytesMax) return compressed;
  letGo(compressed);
  return undefined;
}

/**
 * Gives back the memory of a result at once. The collector does not see how large it is, and would let 64 MiB of results
 * pile up.
 */
export function letGo({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Undoes it; undefined for what is not zstd, or does not give exactly `plainBytes`. Takes no more memory than that, whatever is
 * announced inside. The result lies in memory of its own.
 */
export function decompressContent(compressed: Uint8Array, plainBytes: number): Uint8Array | undefined {
  try {
    const plain = zstdDecompressSync(compressed, {
      // One more, because the end is known only when there is room left.
      chunkSize: Math.max(plainBytes + 1, OWN_MEMORY_BYTES),
      maxOutputLength: plainBytes,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    });
    return plain.length === plainBytes ? plain : undefined;
  } catch {
    return undefined;
  }
}
