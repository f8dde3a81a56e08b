import { FanfoldError } from "../lib/errors.ts";
import type { Payload } from "./transport.ts";

export function payloadBytes(payload: Payload): number {
  if (payload instanceof Uint8Array) return payload.byteLength;
  return payload.reduce((sum, part) => sum + part.byteLength, 0);
}

/** One buffer of all parts; a payload that is one buffer already is not copied. */
export function joinPayload(payload: Payload): Buffer {
  const only = payload instanceof Uint8Array ? payload : payload.length === 1 ? payload[0] : undefined;
  if (only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.byteLength);
  return Buffer.concat(payload as readonly Uint8Array[]);
}

/** @throws FanfoldError `payload-too-large` */
export function checkPayload(subject: string, bytes: number, limitBytes: number): void {
  if (bytes <= limitBytes) return;
  throw new FanfoldError("payload-too-large", `Publish on "${subject}": the payload has ${bytes} bytes; the broker takes at most ${limitBytes}`);
}
