/**
 * A writer of DER (X.690), as far as a certificate needs it. Nothing here reads DER: what comes from outside is
 * parsed by OpenSSL alone.
 */
export type Der = Buffer;

const CONSTRUCTED = 0x20;
const CONTEXT = 0x80;

export const der = {
  sequence: (...parts: readonly Der[]): Der => element(0x30, Buffer.concat(parts)),
  set: (...parts: readonly Der[]): Der => element(0x31, Buffer.concat(parts)),
  /** A whole number from its bytes, never negative. */
  integer: (bytes: Uint8Array): Der => element(0x02, unsigned(bytes)),
  boolean: (value: boolean): Der => element(0x01, Buffer.from([value ? 0xff : 0])),
  octets: (bytes: Uint8Array): Der => element(0x04, bytes),
  bits: (bytes: Uint8Array, unusedBits = 0): Der => element(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes])),
  text: (value: string): Der => element(0x0c, Buffer.from(value, "utf8")),
  oid: (dotted: string): Der => element(0x06, oidBytes(dotted)),
  time: (date: Date): Der => timeElement(date),
  /** `[number]` with whole elements inside. */
  tagged: (number: number, ...parts: readonly Der[]): Der =>
    element(CONTEXT | CONSTRUCTED | number, Buffer.concat(parts)),
  /** `[number]` with bare bytes inside. */
  taggedBytes: (number: number, bytes: Uint8Array): Der => element(CONTEXT | number, bytes),
} as const;

function element(tag: number, content: Uint8Array): Der {
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** Without leading zeros, but with one where the highest bit would make the number negative. */
function unsigned(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = first === -1 ? Buffer.from([0]) : bytes.subarray(first);
  return (short[0] ?? 0) < 0x80 ? short : Buffer.concat([Buffer.from([0]), short]);
}

function oidBytes(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return Buffer.from([first * 40 + second, ...rest].flatMap(base128));
}

function base128(value: number): readonly number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128));
  return bytes;
}

/** Two digits of the year until 2049, four from then on (RFC 5280, 4.1.2.5). */
function timeElement(date: Date): Der {
  const digits = `${date
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replace(/\D/g, "")}Z`;
  const short = date.getUTCFullYear() < 2050;
  return short ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits));
}
