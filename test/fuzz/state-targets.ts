import { Duplex } from "node:stream";
import { SpillFile } from "../../src/lib/disk/spill-file.ts";
import { silentLogger } from "../../src/lib/logger.ts";
import { BufferPool } from "../../src/lib/memory/buffer-pool.ts";
import { buildFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { MISSING_RANGES_MAX } from "../../src/protocol/limits.ts";
import { checkFrame } from "../../src/sink/stream/checked-frame.ts";
import { SequenceTracker } from "../../src/sink/stream/sequence-tracker.ts";
import { DeltaAnswers } from "../../src/source/delta/delta-answers.ts";
import { CreditWindow } from "../../src/source/publish/credit-window.ts";
import { PageAnswers } from "../../src/source/publish/page-answers.ts";
import { RepairRequests } from "../../src/source/publish/repair-requests.ts";
import { proofFault } from "../../src/source/session/proof-fault.ts";
import { readUp } from "../../src/source/session/read-up.ts";
import { FrameDecoder } from "../../src/transport/embedded/frame-decoder.ts";
import { RelayConnection } from "../../src/transport/embedded/relay-connection.ts";
import { encodeControl, encodeHead, MESSAGE_BYTES_MAX } from "../../src/transport/embedded/wire.ts";
import { Router } from "../../src/transport/router.ts";
import { receiptOf } from "../helpers/copies/receipts.ts";
import { SESSION } from "../helpers/copies/source-frames.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { must, refuses } from "./refuses.ts";
import { finishedFrame } from "./wire-targets.ts";

const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const progress = { filesDone: 1, bytesDone: 2, currentFile: "x" };
const REPORT = { type: "report", receivedUpTo: 4, missing: [[5, 7]], storedUpTo: 3, progress, busy: "hashing" };
const WANT = { type: "want", page: 0, want: { bits: "Aw==" }, held: [[0, 32_768, "a".repeat(64)]] };
const OLDER = {
  type: "want",
  page: 0,
  want: "all",
  older: [[1, 2_000_000]],
  same: { bits: "Ag==", hashes: "A".repeat(24) },
};
const LACKS = { type: "lacks", entry: 1, slice: 0, lacks: { bits: "AQI=" } };
const PROOF = {
  ...{
    type: "proof",
    pages: 1,
    digest: "b".repeat(64),
    progress,
    problemCount: 1,
    filesUnchanged: 0,
    bytesUnchanged: 0,
    bytesKept: 0,
    entriesChanged: 0,
    receipt: receiptOf({ digest: "b".repeat(64), outcome: "incomplete", filesDone: 1, bytesDone: 2, problemCount: 1 }),
  },
  problems: [{ path: "x", kind: "not-carried", message: "m" }],
};
const FAILED = { type: "failed", code: "disk-full", message: "m", progress };
const FRAMES = 9;

const spill = SpillFile.open();

/** What a source does with what one sink says, line by line, besides sending. */
function sinkSays(input: Uint8Array): void {
  const window = new CreditWindow(["one", "two"]);
  const desk = new RepairRequests();
  const ledger = new PageAnswers(spill);
  ledger.add({ page: 0, entries: 5, body: new Uint8Array(1), traits: new Uint8Array(0) }, ["one", "two"]);
  const deltas = new DeltaAnswers();
  deltas.sent(1, 10, ["one", "two"]);
  for (let sequence = 0; sequence < FRAMES; sequence += 1) window.published({ sequence, costBytes: 1000 });
  for (const line of Buffer.from(input).toString("latin1").split("\n")) {
    const frame = buildFrame({ type: "up", ...SESSION, stream: 0 }, Buffer.from(line, "latin1"));
    finishFrame(frame, 0);
    const up = refuses(["damaged"], () => readUp(frame, SESSION));
    if (up === undefined) continue;
    const { message } = up;
    if (message.type === "report") {
      if (message.storedUpTo <= FRAMES) window.stored("one", message.storedUpTo);
      desk.ask("one", message.missing, { nowMs: 0, kept: 0, exists: FRAMES });
      must(desk.due(1000).length <= FRAMES, "nothing is repaired that does not exist");
    } else if (message.type === "want")
      refuses(["damaged"], () => ledger.answer("one", message.page, message.want, message));
    else if (message.type === "lacks")
      must(
        refuses(["damaged"], () => deltas.answer("one", message)) === undefined,
        "one sink does not say what another one lacks",
      );
    else if (message.type === "proof")
      proofFault(
        message,
        { pages: 1, entries: 5, digest: Buffer.alloc(32, 0xbb) },
        { ...SESSION, source: undefined, sink: { name: "alpha" } },
      );
  }
  must(window.outstandingBytes === FRAMES * 1000, "one sink alone releases nothing that another waits for");
  must(ledger.unansweredOf("two") === 1, "one sink does not answer for another");
}

class Quiet extends Duplex {
  override _read(): void {
    // Nothing comes this way: bytes are handed over by the test.
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}

function clientSays(input: Uint8Array): void {
  const socket = new Quiet();
  const router = new Router();
  const buffers = new BufferPool({ bufferBytes: 64 * 1024, keptMax: 1 });
  let delivered = 0;
  router.subscribe("a.up.*", ({ bytes }) => {
    delivered += bytes;
  });
  const permissions = {
    name: "c",
    owner: "a",
    messageBytesMax: 1024,
    mayBeExposed: () => false,
    mayPublish: (subject: string) => subject.startsWith("a.up."),
    maySubscribe: (subject: string) => subject === "a.data",
  };
  const connection = new RelayConnection(socket, {
    router,
    buffers,
    permissions,
    isExposed: false,
    logger: silentLogger,
  });
  const third = Math.floor(input.length / 3);
  for (const part of [input.subarray(0, third), input.subarray(third, 2 * third), input.subarray(2 * third)])
    connection.push(part);
  must(delivered <= input.length, "nothing is delivered that did not come");
  connection.leave();
  must(
    router.publish({ subject: "a.data", parts: [], bytes: 0, hold: () => () => undefined }) === 0,
    "a client that left has no subscriptions",
  );
  socket.destroy();
}

function relaySays(input: Uint8Array): void {
  let came = 0;
  const decoder = new FrameDecoder("relay", {
    control: () => undefined,
    begin: ({ payloadBytes }) => must(payloadBytes <= MESSAGE_BYTES_MAX, "no message beyond the limit"),
    payload: (bytes) => {
      came += bytes.length;
    },
    end: () => undefined,
  });
  refuses(["damaged"], () => decoder.push(input));
  must(came <= input.length, "nothing is given out that did not come");
}

/** Frames in any order: a length and a sequence, then that many bytes of a frame. */
export function* framesOf(input: Uint8Array): Generator<{ sequence: number; payload: Buffer }, void, undefined> {
  for (let at = 0; at + 3 <= input.length; ) {
    const [high = 0, low = 0, sequence = 0] = input.subarray(at, at + 3);
    const end = at + 3 + Math.min(high * 256 + low, input.length);
    yield { sequence, payload: finishedFrame(input.subarray(at + 3, end), sequence) };
    at = end;
  }
}

/** What `framesOf` makes these frames of. */
export function framed(frames: readonly Buffer[]): Buffer {
  return Buffer.concat(
    frames.flatMap((frame, index) => [Buffer.from([frame.length >> 8, frame.length & 0xff, index]), frame]),
  );
}

function receives(input: Uint8Array): void {
  const receiver = new SequenceTracker({ ...SESSION, stream: 0 });
  let next = 0;
  for (const { payload } of framesOf(input)) {
    const checked = refuses(["damaged"], () => checkFrame(payload));
    if (checked === undefined || "type" in checked) continue;
    for (const { frame } of receiver.take(checked)) {
      must(frame.sequence === next, "frames are handed on in order, once");
      next += 1;
    }
    must(receiver.receivedUpTo === next && receiver.missing().length <= MISSING_RANGES_MAX, "positions agree");
  }
}

const relayFrames = (): Buffer[] => [
  Buffer.concat([
    encodeControl({ op: "sub", id: 1, subject: "a.data", queueBytes: 100 }),
    encodeControl({ op: "ping", id: 7 }),
    encodeHead({ op: "pub", id: 0, subject: "a.up.x", payloadBytes: 3 }),
    Buffer.from("abc"),
    encodeHead({ op: "pub", id: 0, subject: "a.data", payloadBytes: 2 }),
    Buffer.from("ab"),
    encodeControl({ op: "unsub", id: 1 }),
  ]),
  Buffer.concat([
    encodeControl({ op: "subok", id: 1 }),
    encodeHead({ op: "msg", id: 1, subject: "a.data", payloadBytes: 3 }),
    Buffer.from("abc"),
    encodeControl({ op: "lost", id: 1, messages: 2, bytes: 3 }),
    encodeControl({ op: "refused", id: 0, subject: "a.b", text: "no" }),
    encodeControl({ op: "pong", id: 7 }),
  ]),
];

export const STATE_TARGETS: readonly FuzzTarget[] = [
  {
    name: "sink-says",
    seeds: () => [
      text(REPORT),
      text(WANT),
      text(OLDER),
      text(LACKS),
      text(PROOF),
      text(FAILED),
      Buffer.concat([text(WANT), Buffer.from("\n"), text(REPORT)]),
    ],
    words: ['"want"', '"missing":', "[0,9007199254740991]", '"__proto__":', "[[", "-1", "1e3", '"bits":', "\n"],
    run: sinkSays,
  },
  { name: "relay-client-says", seeds: relayFrames, words: ["a.up.x", "a.data", "a.up.*"], run: clientSays },
  { name: "relay-says", seeds: relayFrames, words: ["a.data"], run: relaySays },
  {
    name: "receiver",
    seeds: () => [framed([Buffer.from([4, 0, 0]), Buffer.from([0, 0, 0, 1]), Buffer.from([4, 0, 0])])],
    run: receives,
  },
];
