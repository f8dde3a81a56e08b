/** A version (u32), then entries: tag (u16), permissions (u16) and id (u32), all with the low byte first. */
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const TAGS = { owner: 0x01, group: 0x04, mask: 0x10, other: 0x20 } as const;

/**
 * The access control list that a directory's default one becomes for what is made in it with a mode. The mode takes
 * from the owner, from the others, and from the mask. Where there is no mask, it takes from the group. acl(5), "Object
 * creation".
 */
export function inheritAcl(inherited: Buffer, mode: number): { mode: number; acl: Buffer } {
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
