import { AccountNames } from "../../lib/disk/account-names.ts";
import type { Native, NativeName, NativePlace } from "../../lib/disk/native-calls.ts";
import { systemCode } from "../../lib/errors.ts";
import { type Attribute, isCarriedAttribute } from "../../protocol/frame/attribute-names.ts";
import { attributesFault } from "../../protocol/frame/page-tables.ts";
import { ATTRIBUTES_BYTES_MAX, ATTRIBUTES_MAX } from "../../protocol/limits.ts";

export interface ReadAttributes {
  /** Sorted by the bytes of their names. Undefined when they are not known, or too much: then the sink leaves its own alone. */
  readonly attributes: readonly Attribute[] | undefined;
  /** Why they are not known, when it is not that the file system has none. */
  readonly problem?: "attributes-too-large" | "attributes-unreadable";
}

export const NO_ATTRIBUTES: ReadAttributes = { attributes: [] };
const UNKNOWN: ReadAttributes = { attributes: undefined };
const TOO_LARGE: ReadAttributes = { attributes: undefined, problem: "attributes-too-large" };
const UNREADABLE: ReadAttributes = { attributes: undefined, problem: "attributes-unreadable" };

/** The extended attributes of what stands in a place, a link's own too, as far as a copy carries them. Throws never. */
export function readAttributes(native: Native | undefined, place: NativePlace | NativeName): ReadAttributes {
  if (native === undefined) return UNKNOWN;
  try {
    const names = carriedNames(native.listAttributes(place));
    if (names.length === 0) return NO_ATTRIBUTES;
    if (names.length > ATTRIBUTES_MAX) return TOO_LARGE;
    let bytes = 0;
    const attributes: Attribute[] = [];
    for (const name of names) {
      const value = native.getAttribute(place, name);
      // Removed since it was listed.
      if (value === undefined) continue;
      bytes += name.length + value.length;
      if (bytes > ATTRIBUTES_BYTES_MAX) return TOO_LARGE;
      attributes.push({ name, value });
    }
    return attributesFault(attributes) === undefined ? { attributes } : TOO_LARGE;
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOTSUP") return UNKNOWN;
    return code === "E2BIG" || code === "ERANGE" ? TOO_LARGE : UNREADABLE;
  }
}

/** Those that belong to a copy, sorted, each once: what a file system lists twice is one. */
function carriedNames(listed: readonly Buffer[]): readonly Buffer[] {
  if (listed.length === 0) return listed;
  const names = listed.filter(isCarriedAttribute).sort(Buffer.compare);
  return names.filter((name, index) => names[index - 1]?.equals(name) !== true);
}

/** Names of owners and groups at the source: read once, when the first is asked for. */
export class OwnerNames {
  #users: AccountNames | undefined;
  #groups: AccountNames | undefined;

  /** With `user` and `group` where the numbers have names here. Throws never. */
  ownerOf(uid: number, gid: number): OwnerOfEntry {
    this.#users ??= AccountNames.read("/etc/passwd");
    this.#groups ??= AccountNames.read("/etc/group");
    const user = this.#users.nameOf(uid);
    const group = this.#groups.nameOf(gid);
    return { uid, gid, ...(user === undefined ? {} : { user }), ...(group === undefined ? {} : { group }) };
  }
}

interface OwnerOfEntry {
  readonly uid: number;
  readonly gid: number;
  readonly user?: Uint8Array;
  readonly group?: Uint8Array;
}
