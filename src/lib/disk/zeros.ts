/** A run of whole units: all of them zeros, or none of them. */
interface ByteRun {
  readonly from: number;
  readonly to: number;
  readonly isZero: boolean;
}

const ZEROS = Buffer.alloc(64 * 1024);

export function isZero(bytes: Uint8Array): boolean {
  // Most bytes are not zeros: that shows at once.
  if (bytes.length > 0 && (bytes[0] !== 0 || bytes[bytes.length - 1] !== 0)) return false;
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

/** Bytes as runs of whole units that are zeros and of units that are not, in turns. The last unit may be shorter. */
export function* zeroRuns(bytes: Uint8Array, unitBytes: number): Generator<ByteRun, void, undefined> {
  let from = 0;
  let isZeroRun = false;
  for (let at = 0; at < bytes.length; at += unitBytes) {
    const isZeroUnit = isZero(bytes.subarray(at, at + unitBytes));
    if (at > from && isZeroUnit !== isZeroRun) {
      yield { from, to: at, isZero: isZeroRun };
      from = at;
    }
    isZeroRun = isZeroUnit;
  }
  if (bytes.length > from) yield { from, to: bytes.length, isZero: isZeroRun };
}
