import { expect, test } from "vitest";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { finishFrame, openSealedFrame } from "../../../src/protocol/frame/frame.ts";
import { streamKey } from "../../../src/protocol/seal/seal-keys.ts";
import { StreamSealer } from "../../../src/protocol/seal/stream-seal.ts";
import { SinkSeal } from "../../../src/sink/session/sink-seal.ts";
import { frameOf, SCOPE, SECRET, SINK_ID, sink, source } from "../../protocol/seal/sealed-frames.ts";

test("a sink makes one key for each stream, whatever comes: for all, or for its own lane alone", () => {
  const options = { secret: SECRET, scope: SCOPE, sinkId: SINK_ID, source: source.publicKey, signer: sink };
  const seal = new SinkSeal({ ...options, random: systemRandom });
  // All numbers that a header can have.
  const openers = new Set(Array.from({ length: 256 }, (_, stream) => seal.opener(stream)));
  expect(openers.size).toBe(256);
  for (let again = 0; again < 2; again += 1)
    for (let stream = 0; stream < 256; stream += 1) openers.add(seal.opener(stream));
  expect(openers.size).toBe(256);
  const sealedFor = (stream: number, sinkId?: string): Buffer => {
    const key = streamKey(SECRET, { ...SCOPE, stream }, sinkId);
    return finishFrame(frameOf({ type: "page", stream, table: Buffer.from("page") }), 0, new StreamSealer(key, source));
  };
  for (const [stream, sinkId] of [
    [0, undefined],
    [255, SINK_ID],
  ] as const) {
    expect(openSealedFrame(sealedFor(stream, sinkId), seal.opener(stream))).toMatchObject({ stream });
    expect(openSealedFrame(sealedFor(stream, "k2k2k2"), seal.opener(stream))).toBeUndefined();
    const other = new StreamSealer(streamKey(SECRET, { ...SCOPE, stream }, sinkId), new SigningKey("7".repeat(64)));
    expect(
      openSealedFrame(finishFrame(frameOf({ type: "page", stream }), 0, other), seal.opener(stream)),
    ).toBeUndefined();
  }
});
