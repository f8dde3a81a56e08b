import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import {
  buildFrame,
  FRAME_TYPES,
  type FrameSealer,
  finishFrame,
  isHeartbeat,
  type StreamScope,
  sequenceOf,
} from "../../src/protocol/frame/frame.ts";
import type { UpMessage } from "../../src/protocol/frame/report.ts";
import { encodeUp } from "../../src/protocol/frame/up.ts";
import type { CoordinatorMessage } from "../../src/protocol/messages/control.ts";
import { ReportSealer } from "../../src/protocol/seal/report-seal.ts";
import { SALT_BYTES, streamKey } from "../../src/protocol/seal/seal-keys.ts";
import { StreamSealer } from "../../src/protocol/seal/stream-seal.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../src/protocol/subjects.ts";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectCopy } from "../e2e/copying.ts";
import type { TestBroker } from "../helpers/brokers/broker-types.ts";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import { receiptOf } from "../helpers/copies/receipts.ts";
import { secretIn } from "../helpers/copies/secret-in.ts";
import { sourceFrames } from "../helpers/copies/source-frames.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeLongTree } from "../helpers/trees/tree.ts";
import { spyAtNats } from "./broker-spy.ts";
import { everyForm } from "./canaries.ts";
import { Intruder } from "./intruder.ts";

type Start = Extract<CoordinatorMessage, { type: "start" }>;

const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };
const SEQUENCE_OFFSET = 24;
const VERSION_OFFSET = 2;

/** A sink of the session, with the session's secret, a key of its own, and all rights at the broker. */
class Forger {
  readonly #connection: NatsConnection;
  readonly #key: SigningKey;
  readonly #sessionId: string;
  readonly #start: Start;
  readonly #secret: Buffer;
  readonly #victim: string;
  /** A whole tree of its own, that no source has. */
  readonly #frames: readonly Buffer[];
  forged = 0;

  constructor(connection: NatsConnection, key: SigningKey, sessionId: string, start: Start) {
    const tree = tempFolder();
    mkdirSync(`${tree}/forged`);
    writeFileSync(`${tree}/forged/file`, "forged");
    this.#connection = connection;
    this.#key = key;
    this.#sessionId = sessionId;
    this.#start = start;
    this.#secret = secretIn(start.seal);
    this.#victim = start.sinks.find(({ name }) => name === "honest")?.id ?? "";
    this.#frames = [...sourceFrames(tree)];
  }

  get secret(): Buffer {
    return this.#secret;
  }

  /** Its own tree from the beginning, and from then on a forgery behind whatever is said. */
  begin(): void {
    const subjects = subjectsOf(this.#sessionId);
    const heard = (subject: string, then: (payload: Buffer) => void): void => {
      this.#connection.subscribe(subject, { callback: (_error, { data }) => then(Buffer.from(data)) });
    };
    heard(subjects.data, (payload) => this.#sendAsSource(sequenceOf(payload) + 1, payload));
    heard(upWildcard(subjects), (payload) => this.#sayAsVictim(sequenceOf(payload) + 1));
    for (let sequence = 0; sequence < this.#frames.length; sequence += 1) this.#sendAsSource(sequence);
    this.#sayAsVictim(0);
  }

  /** In the place of the frame that comes next, on data and on the victim's own subject. */
  #sendAsSource(sequence: number, genuine?: Buffer): void {
    const subjects = subjectsOf(this.#sessionId);
    const own = toSubject(subjects, this.#victim);
    const [scope, lane] = [this.#scope(0), this.#scope(1)];
    const frame = this.#frames[sequence % this.#frames.length] ?? Buffer.alloc(0);
    for (const subject of [subjects.data, own]) {
      // With the keys that it has, as in the open, with a sequence that nobody can have, and of another version.
      this.#publish(subject, asOf(scope, frame, sequence, this.#sealer(scope)));
      this.#publish(subject, asOf(scope, frame, sequence));
      const header = asOf(scope, Buffer.alloc(frame.length, frame), Number.MAX_SAFE_INTEGER, this.#sealer(scope));
      header.fill(0xff, SEQUENCE_OFFSET, SEQUENCE_OFFSET + 8);
      this.#publish(subject, finished(header));
      const other = asOf(scope, frame, sequence, this.#sealer(scope));
      other[VERSION_OFFSET] = 99;
      this.#publish(subject, finished(other));
      this.#publish(subject, this.#heartbeat(scope, sequence + 1_000));
    }
    // To a lane that no source has opened.
    this.#publish(own, asOf(lane, frame, 0, this.#sealer(lane, this.#victim)));
    this.#publish(own, this.#heartbeat(lane, 0));
    if (genuine !== undefined && isHeartbeat(genuine)) this.#publish(own, elsewhere(genuine, 1));
  }

  #sayAsVictim(sequence: number): void {
    const subject = upSubject(subjectsOf(this.#sessionId), this.#victim);
    const { epoch, sourceIdentity: source } = this.#start;
    const digest = "ab".repeat(32);
    const receipt = receiptOf({ sessionId: this.#sessionId, epoch, source, name: "honest", digest }, this.#key);
    const counts = {
      problemCount: 0,
      problems: [],
      filesUnchanged: 0,
      bytesUnchanged: 0,
      bytesKept: 0,
      entriesChanged: 0,
    };
    const messages: readonly UpMessage[] = [
      { type: "proof", pages: 1, digest, progress, ...counts, receipt },
      { type: "failed", code: "disk-full", message: "forged", progress },
    ];
    const salt = Buffer.from(systemRandom.hex(SALT_BYTES), "hex");
    const scope = { sessionId: this.#sessionId, epoch };
    const sealer = new ReportSealer({ secret: this.#secret, scope, sinkId: this.#victim, salt, signer: this.#key });
    for (const message of messages) {
      const said = { ...scope, sequence, stream: 0, message };
      this.#publish(subject, encodeUp(said, sealer));
      this.#publish(subject, encodeUp(said));
      const great = encodeUp(said, sealer);
      great.fill(0xff, SEQUENCE_OFFSET, SEQUENCE_OFFSET + 8);
      this.#publish(subject, finished(great));
    }
  }

  #heartbeat(scope: StreamScope, sequence: number): Buffer {
    const frame = buildFrame({ type: "heartbeat", ...scope }, new Uint8Array(0));
    return finishFrame(frame, sequence, this.#sealer(scope));
  }

  #scope(stream: number): StreamScope {
    return { sessionId: this.#sessionId, epoch: this.#start.epoch, stream };
  }

  #sealer(scope: StreamScope, sinkId?: string): FrameSealer {
    return new StreamSealer(streamKey(this.#secret, scope, sinkId), this.#key);
  }

  #publish(subject: string, payload: Buffer): void {
    this.forged += 1;
    this.#connection.publish(subject, payload);
  }
}

/** A frame of another session's making as one of this. */
function asOf({ sessionId, epoch, stream }: StreamScope, payload: Buffer, sequence: number, sealer?: FrameSealer) {
  const frame = Buffer.concat([payload, Buffer.alloc(80)]).subarray(0, payload.length);
  frame.write(sessionId, 4, "latin1");
  frame.writeUInt32BE(epoch, 16);
  frame[20] = stream;
  return Buffer.from(finishFrame(frame, sequence, sealer));
}

/** With the checksum of a good header. */
function finished(frame: Buffer): Buffer {
  frame.writeUInt32BE(crc32(frame.subarray(0, 36)), 36);
  return frame;
}

/** A genuine frame, moved to another stream. */
function elsewhere(genuine: Buffer, stream: number): Buffer {
  const moved = Buffer.from(genuine);
  moved[20] = stream;
  return finished(moved);
}

describe.skipIf(!brokersAvailable("nats"))("a sink that forges at a broker without rights", { timeout: E2E_MS }, () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startNats({ user: "fanfold", password: "secret" });
  });
  afterAll(() => broker.stop());

  test("ends no copy, gets nothing stored, and does not speak for another sink", async () => {
    await using lab = await CliLab.open("guarded");
    await using spy = await spyAtNats(broker.url);
    const coordinator = await startGuarded(lab, { broker: broker.url });
    await using intruder = await Intruder.at(coordinator);
    const [from, to] = [lab.path("source"), lab.path("honest")];
    makeLongTree(from, { files: 4, mibEach: 1 });
    const honest = lab.sink(coordinator.address, to, ["--name", "honest"]);
    await honest.event("waiting");
    const key = new SigningKey(systemRandom.hex(32));
    const { control, sessionId } = await intruder.join({
      key,
      token: await coordinator.token("sink"),
      label: "forger",
    });
    const connection = await connect({
      servers: `127.0.0.1:${broker.port}`,
      ...{ user: "fanfold", pass: "secret", noEcho: true },
    });
    onTestFinished(() => connection.close());
    control.ready();
    const source = lab.source(coordinator.address, from, ["--dest-count", "2", "--bwlimit", "2M"]);
    let message = await control.next();
    while (message.type !== "start") message = await control.next();
    const forger = new Forger(connection, key, sessionId, message);
    forger.begin();
    // Whichever comes first: a sink that was deceived ends, and its source waits for it.
    await Promise.race([source.event("sink", { where: ({ name }) => name === "honest" }), honest.exit()]);
    control.raw(JSON.stringify({ type: "leave", code: "usage", reason: "it has forged enough" }));
    expect(await honest.exit(), honest.shown()).toBe(0);
    const { summary } = await source.event("finished");
    await source.exit();
    const outcomes = Object.fromEntries(summary.sinks.map(({ name, outcome, code }) => [name, { outcome, code }]));
    expect(outcomes).toEqual({
      honest: { outcome: WHOLE, code: undefined },
      forger: { outcome: "failed", code: "usage" },
    });
    await expectCopy(from, to);
    expect(existsSync(`${to}/forged`)).toBe(false);
    // Some for each frame of the source, and each report of the sink.
    const genuine = [...spy.heard.values()].flat().filter((payload) => payload[3] === FRAME_TYPES.data);
    expect(genuine.length).toBeGreaterThan(4);
    expect(forger.forged).toBeGreaterThan(50);
    const passed = [...spy.heard.values()].map((payloads) => Buffer.concat(payloads));
    expect(forger.secret.length).toBe(32);
    for (const form of everyForm(forger.secret)) expect(passed.some((bytes) => bytes.includes(form))).toBe(false);
  });
});
