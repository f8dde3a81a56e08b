import { NAME_BYTES_MAX } from "../limits.ts";

/** What file systems leave out of names when they compare them: zero-width and other characters without a form. */
const IGNORED = /\p{Default_Ignorable_Code_Point}/gu;
/** And at the end of a name: FAT and its kin. */
const DOT = 0x2e;
const SPACE = 0x20;
const [UPPER_A, UPPER_Z] = [0x41, 0x5a];
const scratch = new Uint8Array(NAME_BYTES_MAX);

/** Good until the next call. */
interface FoldedName {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/**
 * The form that names share when some file system may take them for one. It has no case, forms of Unicode, invisible
 * characters, or dots and spaces at the end. Only a hint: whether a folder does so is for its file system to say.
 */
export function foldedName(name: Uint8Array): FoldedName {
  for (let at = 0; at < name.length; at += 1) {
    const byte = name[at] ?? 0;
    if (byte >= 0x80 || at >= scratch.length) return foldedText(name);
    scratch[at] = byte >= UPPER_A && byte <= UPPER_Z ? byte | 0x20 : byte;
  }
  return { bytes: scratch, length: endOf(scratch, name.length) };
}

/** Upper case before lower case: so that what has one capital letter in common, or two of them, comes out as one. */
function foldedText(name: Uint8Array): FoldedName {
  const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("utf8");
  const folded = text.normalize("NFKD").toUpperCase().normalize("NFKD").toLowerCase().replace(IGNORED, "");
  const bytes = Buffer.from(folded, "utf8");
  return { bytes, length: endOf(bytes, bytes.length) };
}

function endOf(bytes: Uint8Array, length: number): number {
  let end = length;
  while (end > 0 && (bytes[end - 1] === DOT || bytes[end - 1] === SPACE)) end -= 1;
  return end;
}
