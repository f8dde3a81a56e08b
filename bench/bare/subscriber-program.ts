/** A subscriber of a bare loop: receives, hashes, compares, writes each piece to its place, and says what it has stored. */
import { closeSync, openSync, writeSync } from "node:fs";
import { blake3 } from "../../src/protocol/hash/blake3.ts";
import { type BareLoop, HEADER_BYTES, STORED_EVERY_BYTES } from "./loop.ts";
import { openLink } from "./open-link.ts";

const loop: BareLoop = JSON.parse(process.argv[2] ?? "");
const link = await openLink(loop);
const fd = openSync(loop.path, "w");
const done = Promise.withResolvers<void>();
let [storedBytes, toldBytes] = [0, 0];

await link.subscribe("data", (payload) => {
  const message = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const content = message.subarray(HEADER_BYTES);
  const offset = message.readDoubleBE(0);
  if (!blake3(content).equals(message.subarray(8, HEADER_BYTES)))
    throw new Error(`${content.length} bytes at ${offset} arrived with another hash`);
  writeSync(fd, content, 0, content.length, offset);
  storedBytes += content.length;
  if (storedBytes < loop.fileBytes && storedBytes - toldBytes < STORED_EVERY_BYTES) return;
  toldBytes = storedBytes;
  const stored = Buffer.alloc(12);
  stored.writeUInt32BE(loop.index, 0);
  stored.writeDoubleBE(storedBytes, 4);
  link.publish("stored", stored);
  if (storedBytes === loop.fileBytes) done.resolve();
});
process.stdout.write("ready\n");
await done.promise;
closeSync(fd);
await link.close();
