import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CreditFlow, type SentFrame } from "../../../src/source/publish/credit-flow.ts";

const SINKS = ["a", "b", "c"] as const;
const FRAME_BYTES_MAX = 1_000_000;

function frameOf(sequence: number, costBytes: number): SentFrame {
  return {
    sequence,
    costBytes,
    doneBytes: 0,
    doneFiles: 0,
    frame: Buffer.alloc(0),
    contentBytes: costBytes,
    savedBytes: 0,
    keptBytes: 0,
  };
}

function flowOf(windowBytesMax: number): CreditFlow {
  const capabilities = {
    kind: "memory",
    payloadLimitBytes: FRAME_BYTES_MAX,
    preferredPayloadBytes: FRAME_BYTES_MAX,
    ordered: true,
  } as const;
  return new CreditFlow({ sinkIds: SINKS, capabilities, startMs: 0, windowBytesMax });
}

const step = fc.oneof(
  fc.record({ type: fc.constant("build"), bytes: fc.integer({ min: 1, max: FRAME_BYTES_MAX }) }),
  fc.record({ type: fc.constant("mark") }),
  fc.record({ type: fc.constant("publish") }),
  fc.record({ type: fc.constant("allow"), bytes: fc.integer({ min: -1_000, max: 5_000_000 }) }),
  fc.record({
    type: fc.constant("store"),
    sink: fc.constantFrom(...SINKS),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ type: fc.constant("drop"), sink: fc.constantFrom(...SINKS) }),
);

/** A source and its sinks around a flow of credit: the reader builds only while it has some. */
class Model {
  readonly flow: CreditFlow;
  readonly stored = new Map<string, number>(SINKS.map((sink) => [sink, 0]));
  readonly released: number[] = [];
  creditBytes = 0;
  readonly built: number[] = [];
  sequence = 0;

  constructor(readonlyWindow: number) {
    this.flow = flowOf(readonlyWindow);
  }

  allow(bytes?: number): void {
    const grant = this.flow.grant(bytes);
    if (grant === undefined) return;
    expect(grant.bytes).toBeGreaterThan(0);
    this.creditBytes += grant.bytes;
  }

  build(bytes: number): void {
    if (this.creditBytes <= 0) return;
    this.creditBytes -= bytes;
    this.built.push(bytes);
    this.flow.built(bytes);
  }

  publish(costBytes: number | undefined): void {
    if (costBytes === undefined) return;
    this.flow.published(frameOf(this.sequence, costBytes));
    this.sequence += 1;
  }

  store(sink: string, upTo: number): void {
    if (!this.stored.has(sink)) return;
    this.stored.set(sink, Math.max(upTo, this.stored.get(sink) ?? 0));
    this.released.push(...this.flow.stored(sink, upTo).map(({ sequence }) => sequence));
  }

  drop(sink: string): void {
    this.stored.delete(sink);
    this.released.push(...this.flow.drop(sink).map(({ sequence }) => sequence));
  }
}

describe("CreditFlow", () => {
  test("never goes below zero, never grants more than its window and a frame, and ends with all credit back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(2_000_000, 16_000_000), (steps, window) => {
        const model = new Model(window);
        for (const each of steps) {
          if (each.type === "build") model.build(each.bytes);
          else if (each.type === "mark") model.publish(0);
          else if (each.type === "publish") model.publish(model.built.shift());
          else if (each.type === "allow") model.allow(each.bytes);
          else if (each.type === "store") model.store(each.sink, Math.floor(each.part * model.sequence));
          else model.drop(each.sink);
          model.allow(0);
          for (const sink of SINKS) {
            const bytes = model.flow.outstandingOf(sink);
            expect(bytes).toBeGreaterThanOrEqual(0);
            if (!model.stored.has(sink)) expect(bytes).toBe(0);
          }
          const outMost = Math.max(0, ...[...model.stored.keys()].map((sink) => model.flow.outstandingOf(sink)));
          if (model.stored.size > 0) expect(outMost).toBeLessThanOrEqual(model.flow.windowBytes + FRAME_BYTES_MAX);
          // Nothing is released that a sink has not stored, and everything in order.
          const least = Math.min(model.sequence, ...model.stored.values());
          expect(model.released).toEqual(Array.from({ length: model.released.length }, (_, index) => index));
          if (model.stored.size > 0) expect(model.released.length).toBeLessThanOrEqual(least);
        }
        // Without a sink nobody gives anything back: a source then publishes no more.
        if (model.stored.size === 0) return;
        while (model.built.length > 0) model.publish(model.built.shift());
        for (const sink of SINKS) model.store(sink, model.sequence);
        for (const sink of SINKS) model.drop(sink);
        expect(model.released.length).toBe(model.sequence);
        expect(SINKS.map((sink) => model.flow.outstandingOf(sink))).toEqual([0, 0, 0]);
      }),
    );
  });

  test("a broker's bound is of the wire, on which nothing is that a sink copies itself", () => {
    const capabilities = { kind: "memory", payloadLimitBytes: 1e6, preferredPayloadBytes: 1e6, ordered: true } as const;
    const flow = new CreditFlow({ sinkIds: ["a"], capabilities: { ...capabilities, stallCutMs: 10_000 }, startMs: 0 });
    const [sentBytes, keptBytes] = [1_000_000, 8 * 1024 * 1024];
    for (let sequence = 0; sequence < 4; sequence += 1) {
      const costBytes = sentBytes + keptBytes / 16;
      flow.built(costBytes);
      flow.published({ ...frameOf(sequence, costBytes), keptBytes });
    }
    flow.stored("a", 4);
    flow.tick(10_000);
    expect(flow.windowBytes).toBe((4 * sentBytes) / 2);
  });

  test("says how much each sink has before it", () => {
    const model = new Model(16_000_000);
    model.allow();
    for (const bytes of [100, 200, 300]) {
      model.build(bytes);
      model.publish(model.built.shift());
      model.publish(0);
    }
    model.store("a", 6);
    model.store("b", 3);
    expect(SINKS.map((sink) => model.flow.outstandingOf(sink))).toEqual([0, 300, 600]);
    model.drop("c");
    expect(SINKS.map((sink) => model.flow.outstandingOf(sink))).toEqual([0, 300, 0]);
  });
});
