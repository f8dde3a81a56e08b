import fc from "fast-check";
import { expect, test } from "vitest";
import {
  begunSession,
  isDeserted,
  isHere,
  isVacant,
  type SessionSlot,
  type SlotEffect,
  takesPartNow,
} from "../../../src/coordinator/session/session-slot.ts";
import { PaperStore } from "./paper-store.ts";
import { identityOf, SlotDriver } from "./slot-driver.ts";

/** Each is one identity; the sources among them are never sinks, as in life. */
const member = fc.constantFrom("k1", "k2", "k3", "s1", "s1", "s1", "s2");
const answers = fc.boolean();
const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("join" as const),
      member,
      answers,
      stay: fc.boolean(),
      needed: fc.constantFrom(1, 1, 2, 3),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("back" as const), member, answers, behind: fc.constantFrom(0, 0, 0, 1) }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant("ready" as const), member }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("lose" as const), member }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("finish" as const), member }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("go" as const), member, cancel: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("cancel" as const), member }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("expired" as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const) }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** What the members' processes were told, checked as each of them would see it. */
class Watch {
  readonly #unanswered = new Set<string>();
  /** What the process of a member copies: session and epoch of the `start` that it got. */
  readonly #copies = new Map<string, string>();
  readonly #session = new Map<string, string>();
  readonly #open = new Set<string>();
  readonly #epochs = new Map<string, number>();
  readonly #store = new PaperStore();

  see(effects: readonly SlotEffect[]): void {
    for (const effect of effects) {
      this.#store.see(effect);
      this.#see(effect);
    }
  }

  /** The coordinator is killed and started again: all it knows is what was written. */
  restart(name: string): SessionSlot {
    const state = this.#store.restored(name);
    this.#unanswered.clear();
    this.#open.clear();
    const session = begunSession(state);
    if (session !== undefined) this.#open.add(session.id);
    return state;
  }

  #see(effect: SlotEffect): void {
    if (effect.type === "opened") this.#open.add(effect.session.id);
    else if (effect.type === "forgotten") expect(this.#open.delete(effect.session.id)).toBe(true);
    else if (effect.type === "ended") expect(this.#open.delete(effect.session.id)).toBe(true);
    else if (effect.type === "started") {
      // At most one source at an epoch: an epoch starts once, and the next one is higher.
      const { id, epoch } = effect.session;
      expect(epoch).toBeGreaterThan(this.#epochs.get(id) ?? 0);
      this.#epochs.set(id, epoch);
    } else if (effect.type === "welcome") this.#welcomed(effect);
    else if (effect.type === "send" && effect.message.type === "start") this.#started(effect.to, effect.message.epoch);
    else if (effect.type === "send" && effect.message.type === "ended") this.#copies.delete(effect.to);
    else if (effect.type === "release") this.#unanswered.delete(effect.memberId);
  }

  #welcomed({ member: { id }, session, rejoined }: Extract<SlotEffect, { type: "welcome" }>): void {
    expect(this.#unanswered.has(id)).toBe(false);
    expect(this.#open.has(session.id)).toBe(true);
    // A welcome to another session: the copy of the one before is over for it.
    if (this.#copies.get(id)?.startsWith(`${session.id} `) === false) this.#copies.delete(id);
    // Who goes on is let in at the very copy that it makes; everybody else has none.
    expect(this.#copies.get(id)).toBe(rejoined ? `${session.id} ${session.epoch}` : undefined);
    this.#unanswered.add(id);
    this.#session.set(id, session.id);
  }

  #started(to: string, epoch: number): void {
    expect(this.#unanswered.has(to)).toBe(false);
    const copy = `${this.#session.get(to)} ${epoch}`;
    expect(this.#copies.get(to)).not.toBe(copy);
    this.#copies.set(to, copy);
  }

  answer(memberId: string): void {
    this.#unanswered.delete(memberId);
  }

  /** A member's process is another one now, which knows of nothing. */
  restarted(memberId: string): void {
    this.#copies.delete(memberId);
  }

  copyOf(memberId: string): string | undefined {
    return this.#copies.get(memberId);
  }

  get openSessions(): number {
    return this.#open.size;
  }
}

function roleOf(id: string): "source" | "sink" {
  return id.startsWith("s") ? "source" : "sink";
}

interface Answered {
  readonly id: string;
  readonly effects: readonly SlotEffect[];
  readonly answers: boolean;
}

/** What came of an arrival is seen first, and is answered at once or later. */
function answered(slot: SlotDriver, watch: Watch, { id, effects, answers }: Answered): readonly SlotEffect[] {
  watch.see(effects);
  if (!answers) return [];
  watch.answer(id);
  return slot.ready(id);
}

function apply(slot: SlotDriver, watch: Watch, each: Event): readonly SlotEffect[] {
  if (each.type === "restart") {
    slot.state = watch.restart(slot.state.name);
    return [];
  }
  if (each.type === "expired") return slot.feed({ type: "expired" });
  if (each.type === "cancel") return slot.cancel(identityOf(each.member));
  const id = each.member;
  const here = slot.state.members.some((one) => one.id === id && isHere(one));
  switch (each.type) {
    case "join":
      if (here) return [];
      watch.restarted(id);
      return answered(slot, watch, {
        id,
        effects: slot.join(id, roleOf(id), { stay: each.stay, needed: each.needed }),
        answers: each.answers,
      });
    case "back": {
      const [sessionId = "", epoch = "1"] = (watch.copyOf(id) ?? "").split(" ");
      // The registry has put the lost link out of the way before.
      if (here || sessionId === "") return [];
      const back = { sessionId, epoch: Math.max(1, Number(epoch) - each.behind) };
      const effects = slot.join(id, roleOf(id), { back });
      // Who is not let in again has no copy that goes on.
      const rejoined = effects.some((effect) => effect.type === "welcome" && effect.rejoined);
      if (!rejoined) watch.restarted(id);
      return answered(slot, watch, { id, effects, answers: each.answers });
    }
    case "ready":
      watch.answer(id);
      return slot.ready(id);
    case "finish": {
      const effects = slot.finish(id);
      // What the registry does after a violation.
      return effects.some((effect) => effect.type === "violation") ? [...effects, ...slot.go(id)] : effects;
    }
    case "lose":
      return slot.lose(id);
    default:
      return slot.go(id, each.cancel ? "cancelled" : "interrupted");
  }
}

function expectSound(slot: SlotDriver, watch: Watch): void {
  const { members, running, waiting } = slot.state;
  expect(members.filter((one) => one.role === "source").length).toBeLessThanOrEqual(1);
  expect(new Set(members.map((one) => one.name)).size).toBe(members.length);
  expect(new Set(members.map((one) => one.id)).size).toBe(members.length);
  expect(running !== undefined && waiting !== undefined).toBe(false);
  expect(watch.openSessions).toBe(running === undefined && waiting === undefined ? 0 : 1);
  for (const one of members) {
    if (!isHere(one)) {
      // Only who belongs to a session that has begun is kept while away.
      expect(one.belongs && one.sessionId === begunSession(slot.state)?.id).toBe(true);
      expect(one.ready).toBe(false);
    } else if (running !== undefined && takesPartNow(running, one)) {
      expect(watch.copyOf(one.id)).toBe(`${running.id} ${running.epoch}`);
    }
  }
  if (running !== undefined) {
    for (const one of [running.source, ...running.sinks]) expect(members.some(({ id }) => id === one.id)).toBe(true);
  }
  if (waiting !== undefined && !waiting.takenOver)
    expect(members.some((one) => one.sessionId === waiting.id)).toBe(true);
}

test("step() keeps its promises in every order of events", () => {
  let [begun, late, rejoined, takenOver, restored] = [0, 0, 0, 0, 0];
  fc.assert(
    fc.property(fc.array(event, { minLength: 20, maxLength: 80, size: "max" }), (events) => {
      const slot = new SlotDriver();
      const watch = new Watch();
      for (const each of events) {
        watch.see(apply(slot, watch, each));
        expectSound(slot, watch);
        if (each.type === "restart" && slot.state.kept) restored += 1;
      }
      for (const effect of slot.effects) {
        if (effect.type === "started") begun += 1;
        if (effect.type === "started" && effect.session.epoch > 1) takenOver += 1;
        if (effect.type === "joined") late += 1;
        if (effect.type === "returned") rejoined += 1;
      }
      for (const one of slot.state.members) watch.see(slot.lose(one.id));
      if (isDeserted(slot.state)) watch.see(slot.feed({ type: "expired" }));
      expect(isVacant(slot.state)).toBe(true);
      expect(watch.openSessions).toBe(0);
    }),
    { numRuns: 400 },
  );
  // The events have led to what is to be tested.
  for (const times of [begun, late, rejoined, takenOver, restored]) expect(times).toBeGreaterThan(0);
});
