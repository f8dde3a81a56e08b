import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { EMPTY_TRAIL, extendTrail, type RatePoint, sentBytes, type Trail, trailOf } from "../../protocol/api/trail.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { type CopyState, nextCopy } from "../../words/copy-state.ts";
import { measure, type RateMeter, startMeter } from "../../words/rate.ts";
import { inOrder } from "../../words/sink-order.ts";
import { furthestBytes } from "../words/verdict.ts";

/** A session, with what has to be remembered to show it calmly. */
export interface Shown {
  readonly view: SessionView;
  /** Once it copies. */
  readonly copy: CopyState | undefined;
  readonly trail: Trail | undefined;
  /** By the clock of the page: when the coordinator last told something. */
  readonly atMs: number;
}

interface ShownSink {
  readonly line: SinkLine;
  /** Of what it has stored. */
  readonly meter: RateMeter;
  /** By how much it is behind the source. */
  readonly behindBytes: number;
}

/** One session that waits or runs. What changes is a signal of its own, so that a row is drawn again only for itself. */
export class ShownSession {
  readonly id: string;
  readonly #shown: Signal<Shown>;
  readonly #names: Signal<readonly string[]> = signal([]);
  #states = "";
  readonly #sinks = new Map<string, Signal<ShownSink>>();

  constructor(view: SessionView, nowMs: number) {
    this.id = view.sessionId;
    this.#shown = signal(nextShown(undefined, view, nowMs));
    this.#takeSinks(view, nowMs, true);
  }

  get shown(): ReadonlySignal<Shown> {
    return this.#shown;
  }

  /** Of the sinks, in the order in which they are to be looked at. */
  get names(): ReadonlySignal<readonly string[]> {
    return this.#names;
  }

  sink(name: string): ReadonlySignal<ShownSink> | undefined {
    return this.#sinks.get(name);
  }

  take(view: SessionView, nowMs: number): void {
    batch(() => {
      const isNew = view.epoch !== this.#shown.value.view.epoch;
      this.#shown.value = nextShown(isNew ? undefined : this.#shown.value, view, nowMs);
      this.#takeSinks(view, nowMs, isNew);
    });
  }

  /** What the coordinator kept of its rate, from its start on. `epoch`: of which start of its source. */
  takeRates(points: readonly RatePoint[], epoch: number): void {
    const shown = this.#shown.value;
    if (shown.view.epoch !== epoch || shown.copy === undefined) return;
    this.#shown.value = { ...shown, trail: extendTrail(trailOf(points), shown.copy.progress) };
  }

  #takeSinks(view: SessionView, nowMs: number, isNew: boolean): void {
    const furthest = furthestBytes(view);
    for (const line of view.sinks) {
      const known = this.#sinks.get(line.name);
      const meter = isNew ? undefined : known?.value.meter;
      const { bytesDone } = line.progress;
      const next: ShownSink = {
        line,
        meter: meter === undefined ? startMeter(bytesDone, nowMs) : measure(meter, bytesDone, nowMs),
        behindBytes: furthest - bytesDone,
      };
      if (known === undefined) this.#sinks.set(line.name, signal(next));
      else known.value = next;
    }
    // Their order is by state and name, and seldom changes.
    const states = view.sinks.map(({ name, state }) => `${name} ${state}`).join("\0");
    if (states === this.#states) return;
    this.#states = states;
    this.#names.value = inOrder(view.sinks, ({ state }) => state).map(({ name }) => name);
  }
}

function nextShown(before: Shown | undefined, view: SessionView, nowMs: number): Shown {
  const { progress, sinks } = view;
  if (progress === undefined) return { view, copy: before?.copy, trail: before?.trail, atMs: nowMs };
  return {
    view,
    copy: nextCopy(before?.copy, { progress, moved: sentBytes, sinks, nowMs }),
    trail: extendTrail(before?.trail ?? EMPTY_TRAIL, progress),
    atMs: nowMs,
  };
}
