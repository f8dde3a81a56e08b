import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { plainAesGcm, TAG_BYTES } from "../../../src/lib/crypto/aes-gcm.ts";
import { SigningKey, VerifyingKey } from "../../../src/lib/crypto/signing-key.ts";
import { newOpenFiles } from "../../../src/lib/disk/open-files.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_SPARE_BYTES,
  FRAME_TYPES,
  finishFrame,
  nonceOf,
  sequenceOf,
} from "../../../src/protocol/frame/frame.ts";
import { streamKey } from "../../../src/protocol/seal/seal-keys.ts";
import { StreamOpener, StreamSealer } from "../../../src/protocol/seal/stream-seal.ts";
import { EngineHost } from "../../../src/sink/engine/engine-host.ts";
import type { EngineMessage } from "../../../src/sink/engine/engine-messages.ts";
import { SESSION, sourceFrames } from "../../helpers/copies/source-frames.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

const SCOPE = { ...SESSION, stream: 0 };
const KEY = streamKey(Buffer.alloc(32, 7), SCOPE);
const source = new SigningKey("5".repeat(64));
const TIMES = 8;

function sealed(frame: Buffer): Buffer {
  const room = Buffer.concat([frame, Buffer.alloc(FRAME_SPARE_BYTES)]).subarray(0, frame.length);
  return finishFrame(room, sequenceOf(frame), new StreamSealer(KEY, source));
}

/** As every member can make it who knows the keys: other content beneath the source's own table and signature. */
function withOtherContent(genuine: Buffer): Buffer {
  const forged = Buffer.from(genuine);
  new StreamOpener(KEY, new VerifyingKey(source.publicKey)).open(forged);
  forged[FRAME_HEADER_BYTES] = (forged[FRAME_HEADER_BYTES] ?? 0) ^ 1;
  const head = forged.subarray(0, FRAME_HEADER_BYTES);
  const tagAt = forged.length - TAG_BYTES;
  plainAesGcm(KEY).seal(nonceOf(head), head, forged.subarray(FRAME_HEADER_BYTES, tagAt), forged.subarray(tagAt));
  return forged;
}

/** In memory of its own, as payloads come to the thread. */
function asPayload(bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(new SharedArrayBuffer(bytes.length));
  payload.set(bytes);
  return payload;
}

test("other content that a member seals beneath the source's signature is dropped, however often it comes", async () => {
  const [from, to] = [memoryFolder(), memoryFolder()];
  writeFileSync(join(from, "file"), "content of the source");
  mkdirSync(join(to, ".fanfold"));
  const messages: EngineMessage[] = [];
  const host = new EngineHost(
    {
      begin: {
        scope: SCOPE,
        seal: { key: KEY, source: source.publicKey },
        fill: { numericIds: false, specials: false, durability: "none" },
        folder: Buffer.from(to),
        session: "default",
        source: source.publicKey,
        doubts: [],
        startedMs: 0,
        fileNotices: false,
        dryRun: false,
        deletion: { forbidden: false },
      },
      openFiles: newOpenFiles(64),
    },
    (message) => messages.push(message),
  );
  for (const frame of sourceFrames(from)) {
    const genuine = sealed(frame);
    const forgeries =
      frame[3] === FRAME_TYPES.data ? Array.from({ length: TIMES }, () => withOtherContent(genuine)) : [];
    host.take({ frames: [...forgeries, genuine].map(asPayload) });
  }
  expect(messages.filter(({ type }) => type === "failed" || type === "problem")).toEqual([]);
  expect(messages.some(({ type }) => type === "verified")).toBe(true);
  await expectEqualTrees(from, to);
});
