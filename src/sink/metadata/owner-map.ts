import { AccountNames } from "../../lib/disk/account-names.ts";
import type { Owner } from "../../protocol/frame/page-tables.ts";

/** Who this process is, and what it may do with owners. */
export interface Rights {
  /** May give files to anybody. */
  readonly isRoot: boolean;
  readonly uid: number;
  /** Groups it may give its own files to. */
  readonly groups: ReadonlySet<number>;
}

export function processRights(): Rights {
  const { geteuid, getegid, getgroups } = process;
  if (geteuid === undefined || getegid === undefined || getgroups === undefined)
    return { isRoot: false, uid: 0, groups: new Set() };
  return { isRoot: geteuid() === 0, uid: geteuid(), groups: new Set([...getgroups(), getegid()]) };
}

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

interface Accounts {
  readonly users: AccountNames;
  readonly groups: AccountNames;
}

/**
 * Finds the owner of an entry on this machine, as rsync does. The names of user and group count if they exist here,
 * otherwise the numbers.
 */
export class OwnerMap {
  readonly #numericIds: boolean;
  #accounts: Accounts | undefined;
  /** Entries of a page share their owners. */
  #last: { readonly owner: Owner; readonly ids: Ids } | undefined;

  constructor(numericIds: boolean) {
    this.#numericIds = numericIds;
  }

  idsOf(owner: Owner): Ids {
    if (this.#last?.owner === owner) return this.#last.ids;
    const ids = this.#lookUp(owner);
    this.#last = { owner, ids };
    return ids;
  }

  #lookUp({ uid, gid, user, group }: Owner): Ids {
    if (this.#numericIds || (user === undefined && group === undefined)) return { uid, gid };
    this.#accounts ??= { users: AccountNames.read("/etc/passwd"), groups: AccountNames.read("/etc/group") };
    const { users, groups } = this.#accounts;
    return {
      uid: user === undefined ? uid : (users.idOf(user) ?? uid),
      gid: group === undefined ? gid : (groups.idOf(group) ?? gid),
    };
  }
}
