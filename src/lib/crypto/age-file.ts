/** A comment beside each of many keys fits in. A larger file is another file. */
export const AGE_FILE_BYTES_MAX = 256 * 1024;

/** The lines of a file of age keys, without comments and empty ones. */
export function keyLinesIn(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
