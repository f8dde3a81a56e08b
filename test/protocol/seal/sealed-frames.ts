import { readFileSync } from "node:fs";
import fc from "fast-check";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_SPARE_BYTES,
  FRAME_TYPES,
  type FrameType,
  type StreamScope,
  writeFrameHeader,
} from "../../../src/protocol/frame/frame.ts";

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const from = page.indexOf("### P-15.6 Example");
const example = page.slice(from, page.indexOf("\n## ", from));

/** Hex digits of what docs/protocol.md shows sealed: key, frame and heartbeat of a source, key and report of a sink. */
export const DOCUMENTED_VECTORS = [...example.matchAll(/^```text\n([\s\S]*?)^```/gm)]
  .flatMap(([, dump = ""]) => dump.split("\n\n"))
  .map((dump) => dump.replaceAll(/\s/g, ""));

/** 32 bytes that count up from here: the secrets and seeds of these tests. */
export const counted = (from: number, bytes = 32): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => from + at));

export const SECRET = counted(0);
export const SCOPE = { sessionId: "k3v9x0q2m7ab", epoch: 1 } as const;
export const SINK_ID = "k1k1k1";
export const OTHER_SINK_ID = "k2k2k2";
export const SOURCE_SEED = counted(32);
export const SINK_SEED = counted(64);
export const source = new SigningKey(SOURCE_SEED.toString("hex"));
export const sink = new SigningKey(SINK_SEED.toString("hex"));
/** Of a member that has the secret, as each sink has. */
export const member = new SigningKey(counted(96).toString("hex"));

interface FrameParts extends Partial<StreamScope> {
  readonly type: FrameType;
  readonly content?: Uint8Array;
  readonly table?: Uint8Array;
}

/** A frame as it is before it gets its sequence, with free memory behind it. */
export function frameOf({ content = new Uint8Array(0), table = new Uint8Array(0), ...start }: FrameParts): Buffer {
  const tableAt = FRAME_HEADER_BYTES + content.length;
  const frame = Buffer.allocUnsafeSlow(tableAt + table.length + FRAME_SPARE_BYTES).subarray(0, tableAt + table.length);
  writeFrameHeader(frame, { ...SCOPE, stream: 0, ...start }, content.length);
  frame.set(content, FRAME_HEADER_BYTES);
  frame.set(table, tableAt);
  return frame;
}

/** Frames of every type, small, and now and then of more pieces than one. */
export const frameParts = fc.record({
  type: fc.constantFrom(...(Object.keys(FRAME_TYPES) as FrameType[]).filter((type) => type !== "heartbeat")),
  stream: fc.nat({ max: 255 }),
  sequence: fc.maxSafeNat(),
  content: fc.oneof(
    { weight: 9, arbitrary: fc.uint8Array({ maxLength: 80 }) },
    { weight: 1, arbitrary: fc.nat({ max: 150_000 }).map((bytes) => Buffer.alloc(bytes, "content")) },
  ),
  table: fc.uint8Array({ maxLength: 80 }),
});
