import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Frame } from "../../src/protocol/frame/frame.ts";
import type { CheckedFrame } from "../../src/sink/stream/checked-frame.ts";
import { SequenceTracker } from "../../src/sink/stream/sequence-tracker.ts";
import { CreditWindow, type OutstandingFrame } from "../../src/source/publish/credit-window.ts";
import { RepairRequests } from "../../src/source/publish/repair-requests.ts";

const RUNS = 300;
const SINKS = ["a", "b", "c"] as const;
type SinkId = (typeof SINKS)[number];
const SCOPE = { sessionId: "abcdefghijkl", epoch: 1, stream: 0 };
const COST_MAX = 1024 * 1024;
/** Enough for everything that waits behind a repair: each round gives one its time. */
const ROUNDS_TO_END = 100;
const ROUND_MS = 2_100;

/** What may happen next, in any order. */
type Step =
  | { readonly do: "publish"; readonly costBytes: number }
  /** The next message on a sink's link arrives, twice, later, or never. */
  | { readonly do: "deliver"; readonly sink: SinkId; readonly how: "whole" | "twice" | "later" | "never" }
  | { readonly do: "heartbeat" | "report" | "leave"; readonly sink: SinkId }
  | { readonly do: "repair"; readonly ms: number };

const sink = fc.constantFrom(...SINKS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("publish" as const), costBytes: fc.nat({ max: COST_MAX }) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      sink,
      how: fc.constantFrom("whole" as const, "whole" as const, "twice" as const, "later" as const, "never" as const),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("heartbeat" as const, "report" as const), sink }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("repair" as const), ms: fc.nat({ max: 600 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), sink }) },
);

describe("the stream of a session: window, repairs and receivers together", () => {
  test("whatever happens in whatever order, nothing counts as stored that is not, and everything arrives in the end", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const stream = new Stream();
        for (const each of steps) {
          stream.take(each);
          stream.expectSound();
        }
        stream.expectEnd();
      }),
      { numRuns: RUNS },
    );
  });
});

/** A source's side, three sinks' sides, and the links between them, without time or bytes. */
class Stream {
  readonly #costs: number[] = [];
  readonly #window = new CreditWindow<OutstandingFrame>(SINKS);
  readonly #desk = new RepairRequests();
  readonly #live = new Set<SinkId>(SINKS);
  readonly #receivers = new Map(SINKS.map((id) => [id, new SequenceTracker(SCOPE)]));
  readonly #links = new Map(SINKS.map((id) => [id, [] as number[]]));
  readonly #handedOn = new Map(SINKS.map((id) => [id, 0]));
  readonly #reported = new Map(SINKS.map((id) => [id, 0]));
  #nowMs = 0;

  take(each: Step): void {
    if (each.do === "publish") this.#publish(each.costBytes);
    else if (each.do === "deliver") this.#deliver(each.sink, each.how);
    else if (each.do === "heartbeat") this.#receiver(each.sink).take(checked("heartbeat", this.#costs.length));
    else if (each.do === "report") this.#report(each.sink);
    else if (each.do === "repair") this.#repair(each.ms);
    else this.#leave(each.sink);
  }

  /** What holds at every moment. */
  expectSound(): void {
    const live = [...this.#live];
    const published = this.#costs.length;
    const least = Math.min(published, ...live.map((id) => this.#reported.get(id) ?? 0));
    const outstanding = live.length === 0 ? 0 : this.#costs.slice(least).reduce((sum, cost) => sum + cost, 0);
    expect(this.#window.outstandingBytes).toBe(outstanding);
    expect(outstanding).toBeLessThanOrEqual(this.#window.windowBytes + COST_MAX);
    for (const id of live) {
      const has = this.#receiver(id).receivedUpTo;
      expect(this.#reported.get(id)).toBeLessThanOrEqual(has);
      expect(has).toBeLessThanOrEqual(published);
      // What a sink may still ask for can still be sent.
      for (let sequence = has; sequence < published; sequence += 1)
        expect(this.#window.find(sequence)?.sequence).toBe(sequence);
    }
  }

  /** From here on the links lose nothing: everybody who is left gets everything. */
  expectEnd(): void {
    for (let round = 0; round < ROUNDS_TO_END && this.#window.outstandingBytes + this.#waiting() > 0; round += 1) {
      for (const id of this.#live) {
        while ((this.#links.get(id) ?? []).length > 0) this.#deliver(id, "whole");
        this.take({ do: "heartbeat", sink: id });
        this.#report(id);
      }
      this.#repair(ROUND_MS);
      this.expectSound();
    }
    for (const id of this.#live) expect(this.#receiver(id).receivedUpTo).toBe(this.#costs.length);
    expect(this.#window.outstandingBytes).toBe(0);
  }

  #publish(costBytes: number): void {
    if (this.#live.size === 0) return;
    if (costBytes > 0 && this.#window.outstandingBytes >= this.#window.windowBytes) return;
    const sequence = this.#costs.push(costBytes) - 1;
    this.#window.published({ sequence, costBytes });
    for (const id of this.#live) this.#links.get(id)?.push(sequence);
  }

  #deliver(id: SinkId, how: "whole" | "twice" | "later" | "never"): void {
    const link = this.#links.get(id) ?? [];
    const sequence = link.shift();
    if (sequence === undefined || !this.#live.has(id) || how === "never") return;
    if (how === "later") {
      link.splice(3, 0, sequence);
      return;
    }
    for (let times = how === "twice" ? 2 : 1; times > 0; times -= 1) {
      for (const next of this.#receiver(id).take(checked("data", sequence))) {
        // In order, and each only once.
        expect(next.frame.sequence).toBe(this.#handedOn.get(id));
        this.#handedOn.set(id, next.frame.sequence + 1);
      }
    }
  }

  #report(id: SinkId): void {
    if (!this.#live.has(id)) return;
    const receiver = this.#receiver(id);
    this.#reported.set(id, receiver.receivedUpTo);
    this.#window.stored(id, receiver.receivedUpTo);
    this.#desk.ask(id, receiver.missing(), {
      ...{ nowMs: this.#nowMs, kept: this.#window.storedUpTo(this.#costs.length), exists: this.#costs.length },
    });
  }

  #leave(id: SinkId): void {
    this.#live.delete(id);
    this.#window.drop(id);
    this.#desk.forget(id);
  }

  #repair(ms: number): void {
    this.#nowMs += ms;
    for (const { sequence, sinks } of this.#desk.due(this.#nowMs)) {
      const to = sinks.length > 1 ? this.#live : sinks.map(({ sinkId }) => sinkId);
      if (this.#window.find(sequence) === undefined) continue;
      for (const id of to) this.#links.get(id as SinkId)?.push(sequence);
    }
  }

  #waiting(): number {
    return [...this.#live].filter((id) => this.#receiver(id).receivedUpTo < this.#costs.length).length;
  }

  #receiver(id: SinkId): SequenceTracker {
    const receiver = this.#receivers.get(id);
    if (receiver === undefined) throw new Error(`There is no sink ${id}`);
    return receiver;
  }
}

function checked(type: Frame["type"], sequence: number): CheckedFrame {
  const frame = { ...SCOPE, type, sequence, plainBytes: 0, content: Buffer.alloc(0), table: Buffer.alloc(0) };
  return { frame, records: [], hashes: [] };
}
