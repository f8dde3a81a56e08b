import { FanfoldError } from "../lib/errors.ts";
import type { Payload } from "./transport.ts";

export function partsOf(payload: Payload): readonly Uint8Array[] {
  return payload instanceof Uint8Array ? [payload] : payload;
}

export function bytesOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

/** A copy of all parts as one, in an ArrayBuffer of its own, so that its reader may transfer it to a worker. */
export function joined(parts: readonly Uint8Array[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** All parts as one buffer, for a library that takes one; a single part is not copied. */
export function asOneBuffer(parts: readonly Uint8Array[], bytes: number): Buffer {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  return joined(parts, bytes);
}

/** @throws FanfoldError `payload-too-large` */
export function checkPayload(subject: string, bytes: number, limitBytes: number): void {
  if (bytes <= limitBytes) return;
  throw new FanfoldError(
    "payload-too-large",
    `cannot publish on "${subject}": the payload has ${bytes} bytes; this transport takes at most ${limitBytes}`,
  );
}
