import type { EntryPlace, Native } from "../../lib/disk/native-calls.ts";
import { ACCESS_ACL, DEFAULT_ACL } from "../../protocol/frame/attribute-names.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { aclOf } from "./attribute-sync.ts";
import type { Ids } from "./owner-map.ts";

/*
 * What a new entry gets where modes are not carried (`--no-perms`): what `cp` would give it. Files are made in a folder of our
 * own and renamed, so what they would inherit from their directory has to be given to them.
 */

/** Mode and access control list of an entry where modes are not carried. */
export interface UnkeptMode {
  readonly mode: number;
  readonly acl: Buffer | undefined;
  /** Whose set-user-id and set-group-id bits are in the mode; undefined: nobody's. */
  readonly ids: Ids | undefined;
}

/** As a file has them that is replaced. */
export function unkeptAs(facts: FileFacts, place: EntryPlace, native: Native | undefined): UnkeptMode {
  return { mode: facts.mode, acl: native && aclOf(native, place, ACCESS_ACL), ids: facts };
}

/** As the system gives them to what is made in an open directory with this mode. */
export function unkeptIn(directory: number, mode: number, native: Native | undefined): UnkeptMode {
  const permissions = mode & 0o777;
  const inherited = native && aclOf(native, directory, DEFAULT_ACL);
  if (inherited === undefined) return { mode: permissions & ~process.umask(), acl: undefined, ids: undefined };
  return { ...inheritAcl(inherited, permissions), ids: undefined };
}

/** A version (u32), then entries: tag (u16), permissions (u16) and id (u32), all with the low byte first. */
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const TAGS = { owner: 0x01, group: 0x04, mask: 0x10, other: 0x20 } as const;

/**
 * The access control list that a directory's default one becomes for what is made in it with a mode. The mode takes
 * from the owner, from the others, and from the mask; where there is none, from the group. acl(5), "Object creation".
 */
export function inheritAcl(inherited: Buffer, mode: number): Pick<UnkeptMode, "mode" | "acl"> {
  const acl = Buffer.from(inherited);
  const tags: number[] = [];
  for (let at = HEADER_BYTES; at + ENTRY_BYTES <= acl.length; at += ENTRY_BYTES) tags.push(acl.readUInt16LE(at));
  const limit = (tag: number, permissions: number): number => {
    const at = HEADER_BYTES + tags.indexOf(tag) * ENTRY_BYTES + 2;
    if (!tags.includes(tag)) return 0;
    const left = acl.readUInt16LE(at) & permissions;
    acl.writeUInt16LE(left, at);
    return left;
  };
  const owner = limit(TAGS.owner, mode >> 6);
  const group = limit(tags.includes(TAGS.mask) ? TAGS.mask : TAGS.group, (mode >> 3) & 7);
  const other = limit(TAGS.other, mode & 7);
  return { mode: (owner << 6) | (group << 3) | other, acl };
}
