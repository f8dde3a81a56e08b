import type { EntryPlace, Native } from "../../lib/disk/native-calls.ts";
import { ACCESS_ACL, DEFAULT_ACL } from "../../protocol/frame/attribute-names.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { aclOf } from "./attribute-sync.ts";
import { inheritAcl } from "./inherited-acl.ts";
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
