import { crc32 } from "node:zlib";
import { SigningKey, VerifyingKey } from "../../src/lib/crypto/signing-key.ts";
import { FRAME_SPARE_BYTES, finishFrame, openSealedFrame, sequenceOf } from "../../src/protocol/frame/frame.ts";
import { encodeUp } from "../../src/protocol/frame/up.ts";
import { ReportOpener, ReportSealer } from "../../src/protocol/seal/report-seal.ts";
import { SALT_BYTES, SEAL_SECRET_BYTES, streamKey } from "../../src/protocol/seal/seal-keys.ts";
import { StreamOpener, StreamSealer } from "../../src/protocol/seal/stream-seal.ts";
import { SESSION } from "../helpers/copies/source-frames.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { must } from "./refuses.ts";
import { sessionPayloads } from "./wire-targets.ts";

const SECRET = Buffer.alloc(SEAL_SECRET_BYTES, 1);
const SINK_ID = "sink00";
const CRC_OFFSET = 36;
const signer = new SigningKey("1".repeat(64));
const verifier = new VerifyingKey(signer.publicKey);
const key = streamKey(SECRET, { ...SESSION, stream: 0 });
const frames = new StreamOpener(key, verifier);
const reports = new ReportOpener(SECRET, SESSION);

function sealedFrames(): Buffer[] {
  const sealer = new StreamSealer(key, signer);
  return sessionPayloads().map((frame) => {
    const room = Buffer.concat([frame, Buffer.alloc(FRAME_SPARE_BYTES)]).subarray(0, frame.length);
    return Buffer.from(finishFrame(room, sequenceOf(frame), sealer));
  });
}

function sealedReport(): Buffer {
  const salt = Buffer.alloc(SALT_BYTES, 2);
  const sealer = new ReportSealer({ secret: SECRET, scope: SESSION, sinkId: SINK_ID, salt, signer });
  return encodeUp({ ...SESSION, sequence: 0, stream: 0, message: { type: "want", page: 0, want: "all" } }, sealer);
}

/** Whatever opens was sealed: it is one of these. */
const genuine = new Set([...sealedFrames(), sealedReport()].map((payload) => payload.toString("hex")));

function holds(input: Buffer): void {
  const isGenuine = genuine.has(input.toString("hex"));
  const report = reports.open(input, { id: SINK_ID, key: signer.publicKey });
  must(report === undefined || isGenuine, "only a report that its sink sealed opens");
  // In place, so it comes last.
  const frame = openSealedFrame(Buffer.from(input), frames);
  must(frame === undefined || isGenuine, "only a frame that the source sealed opens");
}

export const SEAL_TARGETS: readonly FuzzTarget[] = [
  {
    name: "sealed",
    seeds: () => [...sealedFrames(), sealedReport()],
    run: (input) => {
      holds(Buffer.from(input));
      if (input.length <= CRC_OFFSET + 4) return;
      // Anybody can make a right checksum of a header.
      const finished = Buffer.from(input);
      finished.writeUInt32BE(crc32(finished.subarray(0, CRC_OFFSET)), CRC_OFFSET);
      holds(finished);
    },
  },
];
