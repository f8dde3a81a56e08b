import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { finishFrame } from "../../../src/protocol/frame/frame.ts";
import { FileHasher } from "../../../src/protocol/hash/content-hash.ts";
import { FRAME_KEPT_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { checkFrame } from "../../../src/sink/stream/checked-frame.ts";
import {
  type BuiltFrame,
  creditCost,
  FrameBuilder,
  frameCapacity,
  wireCost,
} from "../../../src/source/read/frame-builder.ts";
import { FrameCompressor } from "../../../src/source/read/frame-compressor.ts";
import { SESSION } from "../../helpers/copies/source-frames.ts";

const FRAME_BYTES = 256 * 1024;
const buffer = new SharedArrayBuffer(frameCapacity(FRAME_BYTES));

/** A frame in the same buffer each time, as the reader builds them. */
function built(content: Uint8Array): BuiltFrame {
  const builder = new FrameBuilder({ ...SESSION, stream: 0, frameBytes: FRAME_BYTES, takeBuffer: () => buffer });
  builder.space(content.length).set(content);
  if (content.length > 0)
    builder.data({ entry: 1, offset: 0, length: content.length, isSparse: false }, new FileHasher());
  builder.close(1, undefined);
  const frame = builder.finish();
  if (frame === undefined) throw new Error("the builder is empty");
  return frame;
}

function received({ buffer: memory, frameBytes }: BuiltFrame) {
  const payload = Buffer.from(memory, 0, frameBytes);
  finishFrame(payload, 0);
  const checked = checkFrame(payload);
  if ("type" in checked) throw new Error(`the frame is ${checked.type}`);
  return checked;
}

describe("FrameCompressor", () => {
  const text = Buffer.alloc(160 * 1024, "Lorem ipsum dolor sit amet. ");

  test("makes a frame smaller in its own shared memory, and it still counts for what it was", () => {
    const plain = built(text);
    const packed = new FrameCompressor("on", systemClock).pack(plain);
    expect(packed.buffer).toBe(plain.buffer);
    expect(packed.frameBytes).toBeLessThan(plain.frameBytes / 20);
    expect(packed).toMatchObject({
      contentBytes: text.length,
      savedBytes: plain.frameBytes - packed.frameBytes,
    });
    expect([creditCost(packed), wireCost(packed)]).toEqual([creditCost(plain), 64 * 1024]);
    const { frame, records } = received(packed);
    expect(Buffer.from(frame.content)).toEqual(text);
    expect(records.map(({ kind }) => kind)).toEqual(["chunk", "close"]);
  });

  test("counts a share of what its receiver copies, which is on no wire", () => {
    const builder = new FrameBuilder({ ...SESSION, stream: 0, frameBytes: FRAME_BYTES, takeBuffer: () => buffer });
    builder.kept({ entry: 1, offset: 0, length: FRAME_KEPT_BYTES_MAX });
    const frame = builder.finish();
    if (frame === undefined) throw new Error("the builder is empty");
    const packed = new FrameCompressor("on", systemClock).pack(frame);
    expect([creditCost(packed), wireCost(packed)]).toEqual([64 * 1024 + 512 * 1024, 64 * 1024]);
  });

  test("leaves a frame as it is when its content does not shrink, is small or missing, or compression is off", () => {
    const on = new FrameCompressor("on", systemClock);
    for (const content of [randomBytes(100_000), text.subarray(0, 4_000), text.subarray(0, 0)]) {
      const plain = built(content);
      const packed = on.pack(plain);
      expect(packed).toMatchObject({ frameBytes: plain.frameBytes, savedBytes: 0 });
      expect(Buffer.from(received(packed).frame.content)).toEqual(Buffer.from(content));
    }
    expect(new FrameCompressor("off", systemClock).pack(built(text)).savedBytes).toBe(0);
  });

  test("builds a plain frame in a buffer that held a compressed one before", () => {
    new FrameCompressor("on", systemClock).pack(built(text));
    const { frame } = received(built(Buffer.from("hello")));
    expect([frame.plainBytes, Buffer.from(frame.content).toString()]).toEqual([0, "hello"]);
  });
});
