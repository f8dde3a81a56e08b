import { FILE_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX } from "../limits.ts";
import type { Attribute } from "./attribute-names.ts";
import type { Owner } from "./page-tables.ts";
import { isTime } from "./timestamp.ts";

const SLASH = 0x2f;
const DOT = 0x2e;

/** A file that is nothing special, without holes and without a hash: numbers, where a `FileEntry` is objects. */
export interface PlainFile {
  /** Relative path of the directory it is in. */
  readonly directory: Uint8Array;
  /** Its first `nameBytes` bytes are the name. */
  readonly name: Uint8Array;
  readonly nameBytes: number;
  /** Permission bits, 07777 at most. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  /** 0 to 999,999,999. */
  readonly mtimeNanoseconds: number;
  readonly size: number;
  readonly owner: Owner | undefined;
  readonly attributes: readonly Attribute[] | undefined;
}

/**
 * Whether `entryFault` would find nothing, apart from owner and attributes: many files share these, and they are looked at once.
 * False says nothing: a name that begins with a dot may be one that is never carried.
 */
export function isSoundPlain(file: PlainFile): boolean {
  const { directory, nameBytes } = file;
  return (
    nameBytes > 0 &&
    nameBytes <= NAME_BYTES_MAX &&
    directory.length + 1 + nameBytes <= PATH_BYTES_MAX &&
    isTime(file.mtimeSeconds, file.mtimeNanoseconds) &&
    file.size <= FILE_BYTES_MAX &&
    file.mode <= 0o7777 &&
    isSoundName(file)
  );
}

function isSoundName({ directory, name, nameBytes }: PlainFile): boolean {
  if (name[0] === DOT && (nameBytes <= 2 || directory.length === 0)) return false;
  for (let at = 0; at < nameBytes; at += 1) if (name[at] === SLASH || name[at] === 0) return false;
  return true;
}
