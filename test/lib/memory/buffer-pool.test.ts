import { describe, expect, test } from "vitest";
import { BufferPool } from "../../../src/lib/memory/buffer-pool.ts";

const BUFFER_BYTES = 4096;

function pool(keptMax = 2): BufferPool {
  return new BufferPool({ bufferBytes: BUFFER_BYTES, keptMax });
}

describe("a pool of buffers", () => {
  test("gives memory that came back again, as long as is asked for", () => {
    const buffers = pool();
    const first = buffers.take(4000);
    expect(first.length).toBe(4000);
    buffers.giveBack(first.buffer);
    const second = buffers.take(2000);
    expect(second.buffer).toBe(first.buffer);
    expect([second.byteOffset, second.length]).toEqual([0, 2000]);
  });

  test("gives nobody what somebody else has", () => {
    const buffers = pool();
    expect(buffers.take(4000).buffer).not.toBe(buffers.take(4000).buffer);
  });

  test("has memory that threads share", () => {
    expect(pool().take(BUFFER_BYTES).buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test("keeps no more than its bound", () => {
    const buffers = pool(1);
    const [one, two] = [buffers.take(BUFFER_BYTES), buffers.take(BUFFER_BYTES)];
    buffers.giveBack(one.buffer);
    buffers.giveBack(two.buffer);
    expect(buffers.take(BUFFER_BYTES).buffer).toBe(one.buffer);
    expect(buffers.take(BUFFER_BYTES).buffer).not.toBe(two.buffer);
  });

  test("makes what is much smaller or larger than its buffers anew, and keeps nothing of it", () => {
    const buffers = pool();
    for (const bytes of [0, 100, BUFFER_BYTES + 1]) {
      const made = buffers.take(bytes);
      expect([made.length, made.buffer.byteLength]).toEqual([bytes, bytes]);
      buffers.giveBack(made.buffer);
      expect(buffers.take(bytes).buffer).not.toBe(made.buffer);
    }
  });
});
