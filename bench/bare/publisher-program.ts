/** The publisher of a bare loop: reads a file, hashes each piece, publishes it, and waits for the slowest subscriber. */
import { openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { blake3Into } from "../../src/protocol/hash/blake3.ts";
import { type BareLoop, HEADER_BYTES, WINDOW_BYTES } from "./loop.ts";
import { openLink } from "./open-link.ts";

/** Lets the socket have its turn. */
const TURN_BYTES = 1024 * 1024;

const loop: BareLoop = JSON.parse(process.argv[2] ?? "");
const link = await openLink(loop);
const storedBytes = new Array<number>(loop.subscribers).fill(0);
let wake = (): void => undefined;
await link.subscribe("stored", (payload) => {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  storedBytes[view.getUint32(0)] = view.getFloat64(4);
  wake();
});

async function until(bytes: number): Promise<void> {
  while (Math.min(...storedBytes) < bytes)
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
}

// Used in turn: when the window lets a message out, all have stored what its buffer held before.
const buffers = Array.from({ length: Math.ceil(WINDOW_BYTES / (loop.payloadBytes - HEADER_BYTES)) + 1 }, () =>
  Buffer.allocUnsafeSlow(loop.payloadBytes),
);
const fd = openSync(loop.path, "r");
let [offset, turnBytes] = [0, 0];
for (let index = 0; offset < loop.fileBytes; index += 1) {
  const buffer = buffers[index % buffers.length] ?? Buffer.alloc(0);
  const bytes = readSync(
    fd,
    buffer,
    HEADER_BYTES,
    Math.min(buffer.length - HEADER_BYTES, loop.fileBytes - offset),
    offset,
  );
  const message = buffer.subarray(0, HEADER_BYTES + bytes);
  message.writeDoubleBE(offset, 0);
  blake3Into(message.subarray(HEADER_BYTES), message, 8);
  await until(offset + bytes - WINDOW_BYTES);
  link.publish("data", message);
  offset += bytes;
  turnBytes += bytes;
  if (turnBytes < TURN_BYTES) continue;
  turnBytes = 0;
  await nextTurn();
}
await until(loop.fileBytes);
await link.close();
