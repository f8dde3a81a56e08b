import fc from "fast-check";
import { expect, test } from "vitest";
import type { SeriesEffect } from "../../src/coordinator/series.ts";
import { isVacant, takesPart } from "../../src/coordinator/series.ts";
import { SeriesDriver } from "./series-driver.ts";

const member = fc.constantFrom("m1", "m2", "m3", "m4", "m5");
const event = fc.oneof(
  fc.record({
    type: fc.constant("join" as const),
    member,
    source: fc.boolean(),
    stay: fc.boolean(),
    needed: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ type: fc.constant("ready" as const), member }),
  fc.record({ type: fc.constant("finish" as const), member }),
  fc.record({ type: fc.constant("go" as const), member }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** What the members were told, checked as a client would see it. */
class Watch {
  readonly #unanswered = new Set<string>();
  readonly #started = new Set<string>();
  readonly #open = new Set<string>();

  see(effects: readonly SeriesEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "opened") this.#open.add(effect.session.id);
      if (effect.type === "forgotten") expect(this.#open.delete(effect.sessionId)).toBe(true);
      if (effect.type === "ended") expect(this.#open.delete(effect.session.id)).toBe(true);
      if (effect.type === "welcome") {
        expect(this.#unanswered.has(effect.member.id)).toBe(false);
        expect(this.#started.has(effect.member.id)).toBe(false);
        expect(this.#open.has(effect.session.id)).toBe(true);
        this.#unanswered.add(effect.member.id);
      }
      if (effect.type === "send" && effect.message.type === "start") {
        expect(this.#unanswered.has(effect.to)).toBe(false);
        expect(this.#started.has(effect.to)).toBe(false);
        this.#started.add(effect.to);
      }
      // Exactly one `ended` for each `start`, for everyone who is still there.
      if (effect.type === "send" && effect.message.type === "ended") expect(this.#started.delete(effect.to)).toBe(true);
      if (effect.type === "left") this.#started.delete(effect.member.id);
      if (effect.type === "release") this.#unanswered.delete(effect.memberId);
    }
  }

  answer(memberId: string): boolean {
    return this.#unanswered.delete(memberId);
  }

  /** Those who take part now, as they were told. */
  get started(): ReadonlySet<string> {
    return this.#started;
  }

  get openSessions(): number {
    return this.#open.size;
  }
}

function apply(series: SeriesDriver, watch: Watch, each: Event): readonly SeriesEffect[] {
  const known = series.state.members.some((one) => one.id === each.member);
  switch (each.type) {
    case "join":
      if (known) return [];
      return series.join(each.member, each.source ? "source" : "sink", { stay: each.stay, needed: each.needed });
    case "ready":
      watch.answer(each.member);
      return series.ready(each.member);
    case "finish": {
      const effects = series.finish(each.member);
      // What the registry does after a violation.
      return effects.some((effect) => effect.type === "violation") ? [...effects, ...series.go(each.member)] : effects;
    }
    default:
      return series.go(each.member);
  }
}

test("step() keeps its promises in every order of events", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const series = new SeriesDriver();
      const watch = new Watch();
      for (const each of events) {
        watch.see(apply(series, watch, each));
        const { members, running, waiting } = series.state;
        expect(members.filter((one) => one.role === "source").length).toBeLessThanOrEqual(1);
        expect(new Set(members.map((one) => one.name)).size).toBe(members.length);
        expect(new Set(members.map((one) => one.id)).size).toBe(members.length);
        expect(watch.openSessions).toBe((running === undefined ? 0 : 1) + (waiting === undefined ? 0 : 1));
        for (const one of members) expect(watch.started.has(one.id)).toBe(takesPart(series.state, one.id));
        if (running !== undefined) expect(members.some((one) => one.id === running.source.id)).toBe(true);
        if (waiting !== undefined) expect(members.some((one) => one.sessionId === waiting.id)).toBe(true);
      }
      for (const one of series.state.members) watch.see(series.go(one.id));
      expect(isVacant(series.state)).toBe(true);
      expect(watch.openSessions).toBe(0);
      expect(watch.started.size).toBe(0);
    }),
    { numRuns: 1000 },
  );
});
