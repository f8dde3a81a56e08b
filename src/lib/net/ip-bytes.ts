import { isIPv4, isIPv6 } from "node:net";

const GROUPS = 8;

/** The 4 or 16 bytes of a numeric address, most significant first; undefined for a name. A zone (`%eth0`) is left out. */
export function ipBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const plain = address.replace(/%.*$/, "");
  return isIPv6(plain) ? ipv6Bytes(plain) : undefined;
}

function ipv6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => 0);
  const out = Buffer.alloc(2 * GROUPS);
  for (const [at, group] of [...before, ...zeros, ...after].entries()) out.writeUInt16BE(group, 2 * at);
  return out;
}

function groupsOf(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").flatMap(groupOf);
}

/** An IPv6 address may end in the four numbers of an IPv4 address: they are two groups. */
function groupOf(group: string): readonly number[] {
  if (!group.includes(".")) return [Number.parseInt(group, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}
