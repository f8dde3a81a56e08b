import fc from "fast-check";
import { expect, test } from "vitest";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
  buildFrame,
  FRAME_HEADER_BYTES,
  type FrameScope,
  type FrameSealer,
  finishFrame,
} from "../../src/protocol/frame/frame.ts";
import { SALT_BYTES } from "../../src/protocol/seal/seal-keys.ts";
import { SinkSeal } from "../../src/sink/session/sink-seal.ts";
import { chooseSeal } from "../../src/source/seal-choice.ts";
import { SessionSeal } from "../../src/source/session/session-seal.ts";

const SOURCE = new SigningKey("1".repeat(64));
const SINKS = ["sink00", "sink01"] as const;
const SIGNERS = [new SigningKey("2".repeat(64)), new SigningKey("3".repeat(64))] as const;
/** Of the key stream: enough that two are equal only when key and nonce are. */
const KEYSTREAM_BYTES = 16;

const sink = fc.nat({ max: 1 });
const text = fc.uint8Array({ minLength: KEYSTREAM_BYTES, maxLength: 40 });
const event = fc.oneof(
  // A welcome: of a new process, or of one whose coordinator is back. It may name a session and an epoch that there were.
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("welcome" as const),
      session: fc.nat({ max: 1 }),
      epoch: fc.nat({ max: 1 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("data" as const), text }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("lane" as const), sink }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("laneData" as const), sink, text }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("sinkStream" as const), sink }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("report" as const), sink, text }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** Frames of one stream, or reports on one: their numbers begin with it. */
class Way {
  readonly #sealer: FrameSealer;
  readonly #headBytes: number;
  #sequence = 0;

  constructor(sealer: FrameSealer, headBytes: number) {
    this.#sealer = sealer;
    this.#headBytes = headBytes;
  }

  /** The beginning of the key stream under which this is sent. */
  send(type: "trailer" | "up", scope: FrameScope, bytes: Uint8Array): string {
    const frame = buildFrame({ type, ...scope, stream: 0 }, bytes);
    const sealed = Buffer.from(finishFrame(frame, this.#sequence, this.#sealer));
    this.#sequence += 1;
    const keystream = Buffer.alloc(KEYSTREAM_BYTES);
    for (let at = 0; at < KEYSTREAM_BYTES; at += 1)
      keystream[at] = (sealed[this.#headBytes + at] ?? 0) ^ (bytes[at] ?? 0);
    return keystream.toString("hex");
  }
}

/** A source and its sinks as long as one secret is good. */
class Session {
  readonly scope: FrameScope;
  readonly data: Way;
  readonly lanes = new Map<number, Way>();
  readonly reports = new Map<number, Way>();
  readonly #seal: SessionSeal;
  readonly #secret: Uint8Array;
  readonly #laneNumbers = new Map<number, number>();

  constructor(secret: Uint8Array, scope: FrameScope) {
    this.scope = scope;
    this.#secret = secret;
    this.#seal = new SessionSeal({ secret, scope, signer: SOURCE });
    this.data = new Way(this.#seal.stream(), FRAME_HEADER_BYTES);
  }

  lane(index: number): void {
    const number = (this.#laneNumbers.get(index) ?? 0) + 1;
    this.#laneNumbers.set(index, number);
    this.lanes.set(index, new Way(this.#seal.lane(SINKS[index] ?? "", number), FRAME_HEADER_BYTES));
  }

  /** A new process of the sink, or another stream to the same one. */
  sinkStream(index: number): void {
    const signer = SIGNERS[index] ?? SOURCE;
    const parts = { secret: this.#secret, scope: this.scope, sinkId: SINKS[index] ?? "", signer };
    const seal = new SinkSeal({ ...parts, source: SOURCE.publicKey, random: systemRandom });
    this.reports.set(index, new Way(seal.reports(), FRAME_HEADER_BYTES + SALT_BYTES));
  }
}

async function opened({ session, epoch }: Extract<Event, { type: "welcome" }>): Promise<Session> {
  const scope = { sessionId: `session0000${session}`, epoch: epoch + 1 };
  const wish = {
    host: "backup",
    mode: "on" as const,
    recipients: [],
    signer: SOURCE,
    random: systemRandom,
    emit: () => undefined,
  };
  const chosen = await chooseSeal({ sealing: "wanted", ...scope }, wish);
  if (chosen === undefined) throw new Error("want a sealed session");
  return new Session(chosen.secret, scope);
}

test("no two payloads have a key stream in common, whatever a coordinator names again", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 80 }), async (events) => {
      // Repairs are what was sent, byte for byte: the faults of sealed-once.test.ts have them.
      const sent = new Set<string>();
      let session = await opened({ type: "welcome", session: 0, epoch: 0 });
      const send = (way: Way | undefined, type: "trailer" | "up", bytes: Uint8Array): void => {
        if (way === undefined) return;
        const keystream = way.send(type, session.scope, bytes);
        expect(sent.has(keystream)).toBe(false);
        sent.add(keystream);
      };
      for (const each of events) {
        if (each.type === "welcome") session = await opened(each);
        else if (each.type === "data") send(session.data, "trailer", each.text);
        else if (each.type === "lane") session.lane(each.sink);
        else if (each.type === "laneData") send(session.lanes.get(each.sink), "trailer", each.text);
        else if (each.type === "sinkStream") session.sinkStream(each.sink);
        else send(session.reports.get(each.sink), "up", each.text);
      }
    }),
    { numRuns: 200 },
  );
});
