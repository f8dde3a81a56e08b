import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MessageParts } from "../../../src/transport/embedded/message-parts.ts";

/** The parts of a payload that came in pieces of this size. */
function collected(payload: Buffer, pieceBytes: number): readonly Uint8Array[] {
  const parts = new MessageParts(payload.length);
  for (let offset = 0; offset < payload.length; offset += pieceBytes) {
    parts.push(payload.subarray(offset, offset + pieceBytes));
  }
  return parts.finish();
}

describe("the parts of a message", () => {
  test("keep a large one as the pieces it came in", () => {
    const payload = randomBytes(1_000_000);
    const parts = collected(payload, 65_536);
    expect(parts.length).toBe(16);
    expect(parts.every((part) => part.buffer === payload.buffer)).toBe(true);
    expect(Buffer.concat(parts).equals(payload)).toBe(true);
  });

  test("copy a small one, so that it keeps nothing of what came with it", () => {
    const payload = randomBytes(100);
    const parts = collected(payload, 60);
    expect(parts.map((part) => part.buffer.byteLength)).toEqual([100]);
    expect(Buffer.concat(parts).equals(payload)).toBe(true);
  });

  test("copy one that comes in a great many pieces, which would cost more than its bytes", () => {
    const payload = randomBytes(300_000);
    const parts = collected(payload, 7);
    expect(parts.length).toBe(1);
    expect(Buffer.concat(parts).equals(payload)).toBe(true);
  });
});
