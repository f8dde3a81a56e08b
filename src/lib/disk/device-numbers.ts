/** Numbers of a character or block device. */
export interface DeviceNumbers {
  readonly major: number;
  readonly minor: number;
}

/** One number out of both, as Linux does it (`makedev` of glibc and musl). */
export function joinDevice({ major, minor }: DeviceNumbers): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xff_ff_f0_00n) << 32n) | ((high & 0xf_ffn) << 8n) | ((low & 0xff_ff_ff_00n) << 12n) | (low & 0xffn);
}

/** Both numbers out of what `stat` gives as `rdev`. */
export function splitDevice(rdev: bigint): DeviceNumbers {
  const major = ((rdev >> 32n) & 0xff_ff_f0_00n) | ((rdev >> 8n) & 0xf_ffn);
  const minor = ((rdev >> 12n) & 0xff_ff_ff_00n) | (rdev & 0xffn);
  return { major: Number(major), minor: Number(minor) };
}
