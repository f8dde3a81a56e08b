import { BufferPool } from "../../../src/lib/buffer-pool.ts";
import { PAYLOAD_BUFFER_BYTES } from "../../../src/protocol/limits.ts";

/** Memory of payloads, as a sink has it. */
export function payloadPool(): BufferPool {
  return new BufferPool({ bufferBytes: PAYLOAD_BUFFER_BYTES, keptMax: 4 });
}
