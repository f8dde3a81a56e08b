import { TIME_SECONDS_MAX, TIME_SECONDS_MIN } from "../limits.ts";
import { type ByteReader, type ByteWriter, damaged } from "./bytes.ts";

export interface Timestamp {
  /** Since 1970, rounded down; negative before. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

const NANOSECONDS_MAX = 999_999_999;
const SECOND_NS = 1_000_000_000n;
const FIRST_NS = BigInt(TIME_SECONDS_MIN) * SECOND_NS;
const LAST_NS = (BigInt(TIME_SECONDS_MAX) + 1n) * SECOND_NS - 1n;

/** Whether the wire can tell this time: file systems in memory keep whatever they are told. */
export function isTellable(ns: bigint): boolean {
  return ns >= FIRST_NS && ns <= LAST_NS;
}

/** Splits nanoseconds since 1970, rounding seconds down. A time that the wire cannot tell becomes the nearest that it can. */
export function timestampOf(ns: bigint): Timestamp {
  const told = ns < FIRST_NS ? FIRST_NS : ns > LAST_NS ? LAST_NS : ns;
  const nanoseconds = ((told % SECOND_NS) + SECOND_NS) % SECOND_NS;
  return { seconds: Number((told - nanoseconds) / SECOND_NS), nanoseconds: Number(nanoseconds) };
}

export function encodeTimestamp(out: ByteWriter, time: Timestamp): void {
  out.signed(time.seconds);
  out.varint(time.nanoseconds);
}

/** @throws FanfoldError `damaged` */
export function decodeTimestamp(bytes: ByteReader): Timestamp {
  const time = { seconds: bytes.signed(), nanoseconds: bytes.varint() };
  const fault = timestampFault(time);
  if (fault !== undefined) throw damaged(fault);
  return time;
}

/** Why no frame may hold this time, as a clause. */
export function timestampFault({ seconds, nanoseconds }: Timestamp): string | undefined {
  if (isTime(seconds, nanoseconds)) return undefined;
  return nanoseconds > NANOSECONDS_MAX
    ? `holds a time with ${nanoseconds} nanoseconds`
    : `holds a time of ${seconds} s`;
}

/** Whether a frame may hold this time. */
export function isTime(seconds: number, nanoseconds: number): boolean {
  return seconds >= TIME_SECONDS_MIN && seconds <= TIME_SECONDS_MAX && nanoseconds <= NANOSECONDS_MAX;
}
