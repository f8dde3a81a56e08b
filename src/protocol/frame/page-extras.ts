import { LINK_TARGET_BYTES_MAX } from "../limits.ts";
import { type ByteReader, damaged } from "./bytes.ts";
import { deviceFault, targetFault } from "./field-faults.ts";
import { CHARACTER, type DeviceEntry, isDeviceType } from "./page.ts";

/* What a page tells of an entry that is no file, and of its kind alone [P-4]. */

/**
 * Of a hard link. That it leads to no directory, and no other hard link, is for whoever has the pages to say.
 *
 * @throws FanfoldError `damaged`
 */
export function decodeLinked(bytes: ByteReader, entry: number): number {
  const to = bytes.varint();
  if (to >= entry) throw damaged(`holds a hard link to entry ${to}, which does not come before entry ${entry}`);
  return to;
}

/** @throws FanfoldError `damaged` */
export function decodeDevice(bytes: ByteReader): Pick<DeviceEntry, "character" | "major" | "minor"> {
  const [type, major, minor] = [bytes.u8(), bytes.varint(), bytes.varint()];
  if (!isDeviceType(type)) throw damaged(`holds a device of the unknown type ${type}`);
  const fault = deviceFault({ major, minor });
  if (fault !== undefined) throw damaged(fault);
  return { character: type === CHARACTER, major, minor };
}

/** @throws FanfoldError `damaged` */
export function decodeTarget(bytes: ByteReader): Uint8Array {
  const target = bytes.string(LINK_TARGET_BYTES_MAX);
  const fault = targetFault(target);
  if (fault !== undefined) throw damaged(fault);
  return target;
}
