/** An extended attribute, as the system names it: `user.comment`, `system.posix_acl_access`. */
export interface Attribute {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** The two attributes in which Linux gives POSIX ACLs: of an entry, and what new entries of a directory inherit. */
export const ACCESS_ACL = "system.posix_acl_access";
export const DEFAULT_ACL = "system.posix_acl_default";

/**
 * Left out, in both directions: labels and signatures that belong to the machine a file lies on, and that its own
 * administration sets. Names that begin like this.
 */
const OF_THE_MACHINE = ["security.selinux", "security.SMACK64", "security.apparmor", "security.ima", "security.evm"];

/**
 * Whether an attribute belongs to a copy: `user.`, `trusted.`, `security.` less the labels above, and POSIX ACLs. What
 * else a system shows (`system.nfs4_acl`, `btrfs.compression`) is a view of something of its own.
 */
export function isCarriedAttribute(name: Uint8Array): boolean {
  const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1");
  if (text === ACCESS_ACL || text === DEFAULT_ACL) return true;
  if (OF_THE_MACHINE.some((label) => text.startsWith(label))) return false;
  return /^(user|trusted|security)\../s.test(text);
}

/** Whether only a privileged process may set it. */
export function isPrivilegedAttribute(name: Uint8Array): boolean {
  return !/^(user|system)\./.test(Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1"));
}
