import { randomFillSync } from "node:crypto";
import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FRAME_TYPES, type FrameScope, openSealedFrame, sequenceOf } from "../../src/protocol/frame/frame.ts";
import { subjectsOf } from "../../src/protocol/subjects.ts";
import { openerOf } from "../../src/sink/stream/stream-secret.ts";
import { LaneLab, SCOPE } from "../helpers/copies/lane-lab.ts";
import { SealLab } from "../helpers/copies/seal-lab.ts";
import { runFaultySession } from "../helpers/copies/session-in-process.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const MIB = 1024 * 1024;
/** No file system rounds it. */
const WHOLE_SECOND = 1_700_000_000;
const TYPE_OFFSET = 3;
const EPOCH_OFFSET = 16;
const STREAM_OFFSET = 20;
const [SALT_OFFSET, SALT_END] = [40, 56];

/** Small files, compressible ones, and some that are not. */
function makeTree(): string {
  const root = memoryFolder();
  mkdirSync(join(root, "dir"));
  for (let file = 0; file < 40; file += 1) writeFileSync(join(root, `dir/f${file}`), `small ${file}\n`.repeat(file));
  for (let file = 0; file < 5; file += 1) writeFileSync(join(root, `large${file}`), randomFillSync(Buffer.alloc(MIB)));
  return root;
}

/**
 * All that was published in sealed sessions, by what must never be used twice: a key and a sequence. Each payload must open
 * with the key that it is to have.
 */
class Ledger {
  readonly seals = new SealLab();
  readonly #frames = new Map<string, Buffer>();
  readonly #reports = new Set<string>();
  readonly #streams = new Set<string>();
  /** What must not be: who publishes may not notice that it fails. */
  readonly faults: string[] = [];
  /** Payloads that came again. */
  repairs = 0;

  readonly publish = (payload: Uint8Array, subject: string): void => {
    const sealed = Buffer.from(payload);
    const scope = { sessionId: SCOPE.sessionId, epoch: sealed.readUInt32BE(EPOCH_OFFSET) };
    if (sealed[TYPE_OFFSET] === FRAME_TYPES.up) this.#report(sealed, subject, scope);
    else if (sealed[TYPE_OFFSET] !== FRAME_TYPES.heartbeat) this.#frame(sealed, subject, scope);
  };

  /** Of which frames were sent, and on which reports were made, by whom. */
  get streams(): string[] {
    return [...this.#streams].sort();
  }

  get reports(): number {
    return this.#reports.size;
  }

  #check(isRight: boolean, fault: string): void {
    if (!isRight) this.faults.push(fault);
  }

  #frame(sealed: Buffer, subject: string, scope: FrameScope): void {
    const stream = sealed[STREAM_OFFSET] ?? 0;
    // What is sent again of the stream to all goes to one sink alone, and has the key of that stream.
    const sinkId = subject === subjectsOf(scope.sessionId).data ? "any" : (subject.split(".").at(-1) ?? "");
    const secret = this.seals.sink(scope, sinkId).secretOf(stream);
    const opener = openerOf(secret);
    this.#check(openSealedFrame(Buffer.from(sealed), opener) !== undefined, `${subject} does not open`);
    const place = `${Buffer.from(secret.key).toString("hex")} ${sequenceOf(sealed)}`;
    const before = this.#frames.get(place);
    if (before !== undefined) {
      this.#check(before.equals(sealed), `${place} has other bytes`);
      this.repairs += 1;
    }
    this.#frames.set(place, sealed);
    this.#streams.add(`${scope.epoch} ${stream} ${stream === 0 ? "all" : sinkId}`);
  }

  #report(sealed: Buffer, subject: string, scope: FrameScope): void {
    const id = subject.split(".").at(-1) ?? "";
    const opener = this.seals.source(scope).reportsOf(this.seals.member({ id, name: id }));
    const frame = openSealedFrame(sealed, opener);
    this.#check(frame !== undefined, `${subject} does not open`);
    const salt = sealed.subarray(SALT_OFFSET, SALT_END).toString("hex");
    const place = `${scope.epoch} ${id} ${salt} ${sequenceOf(sealed)}`;
    this.#check(!this.#reports.has(place), `${place} was said before`);
    this.#reports.add(place);
    // A stream has a salt of its own in each process.
    this.#streams.add(`${scope.epoch} ${frame?.stream} report of ${id} with ${salt.slice(0, 8)}`);
  }
}

const reportsAmong = (streams: readonly string[]) => streams.filter((stream) => stream.includes("report"));
const framesAmong = (streams: readonly string[]) => streams.filter((stream) => !stream.includes("report"));

describe("no key is used twice for one sequence, but for the same bytes", () => {
  test("in sessions over links with faults, at two epochs that have the secret in common", async () => {
    const ledger = new Ledger();
    for (const epoch of [1, 2]) {
      const [source, sinks] = [makeTree(), [memoryFolder(), memoryFolder()]];
      const { summary } = await runFaultySession({
        source,
        sinks,
        epoch,
        seals: ledger.seals,
        onPublish: ledger.publish,
        onReport: ledger.publish,
        down: (sink) => seededPlan(epoch * 100 + sink, 0.15),
        up: seededPlan(epoch * 1000, 0.1),
      });
      expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
      for (const sink of sinks) await expectEqualTrees(source, sink);
    }
    expect(ledger.faults).toEqual([]);
    expect(ledger.repairs).toBeGreaterThan(0);
    expect(framesAmong(ledger.streams)).toEqual(["1 0 all", "2 0 all"]);
    expect(reportsAmong(ledger.streams)).toHaveLength(4);
  });

  test("with late sinks on lanes of one number, and a sink that is killed and started again", async () => {
    const ledger = new Ledger();
    const [source, first, ...late] = [makeTree(), memoryFolder(), memoryFolder(), memoryFolder()];
    // So that its lane is another one than those of the same number.
    for (const file of ["large0", "large1"]) {
      copyFileSync(join(source, file), join(late[1] ?? "", file));
      for (const folder of [source, late[1] ?? ""]) utimesSync(join(folder, file), WHOLE_SECOND, WHOLE_SECOND);
    }
    const lab = await LaneLab.open({
      source,
      sinks: [first],
      factor: 3,
      seals: ledger.seals,
      onPublish: ledger.publish,
    });
    // Frozen, it keeps the session from ending before the others have come.
    lab.sinks[0]?.gate.freeze();
    const running = lab.run();
    await lab.until(({ type }) => type === "progress");
    for (const [index, folder] of late.entries()) await lab.join(folder, seededPlan(30 + index, 0.1));
    await lab.restart(1, late[0] ?? "");
    lab.sinks[0]?.gate.thaw();
    await lab.restart(0, first);
    const summary = await running;
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual([WHOLE, WHOLE, WHOLE]);
    for (const sink of [first, ...late]) await expectEqualTrees(source, sink);
    expect(ledger.faults).toEqual([]);
    expect(ledger.repairs).toBeGreaterThan(0);
    expect(framesAmong(ledger.streams)).toEqual(expect.arrayContaining(["1 1 sink00", "1 1 sink02"]));
    expect(ledger.reports).toBeGreaterThan(reportsAmong(ledger.streams).length);
  });
});
