import fc from "fast-check";
import { expect, test } from "vitest";
import { History } from "../../../src/coordinator/history/history.ts";
import { openStore, type Store } from "../../../src/coordinator/history/store.ts";
import { decide, decisionOn, mayDecide } from "../../../src/coordinator/session/decide.ts";
import { emptySlot, type SlotEffect } from "../../../src/coordinator/session/session-slot.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { CommitDecision, CommitRef } from "../../../src/protocol/messages/commit.ts";
import type { CoordinatorMessage } from "../../../src/protocol/messages/control.ts";
import { stateFolder } from "../coordinator-fixture.ts";
import { SlotDriver } from "./slot-driver.ts";

const SINKS = ["k1", "k2", "k3"] as const;
const SOURCE = "so" as const;
const EVERYBODY = [...SINKS, SOURCE];
const DIGEST = "d".repeat(64);
const ALL = { needed: 0, otherwise: "drop" } as const;
const sink = fc.constantFrom(...SINKS);
const member = fc.constantFrom(...EVERYBODY);

const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("start" as const), who: member }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("kill" as const), who: member }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("break" as const), who: member }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("back" as const), who: member }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant("prove" as const), who: sink }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("decide" as const), who: fc.constant(SOURCE) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("finish" as const), who: fc.constant(SOURCE) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("cancel" as const), who: fc.constant(SOURCE) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const), who: fc.constant("coordinator") }) },
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

/** Two copies as they go when nothing happens; each lets those come back that went. */
const COPY: readonly Event[] = [
  ...EVERYBODY.flatMap((who) => [
    { type: "start" as const, who },
    { type: "back" as const, who },
  ]),
  ...SINKS.map((who) => ({ type: "prove" as const, who })),
  { type: "decide", who: SOURCE },
  ...SINKS.map((who) => ({ type: "start" as const, who })),
  { type: "finish", who: SOURCE },
];
const COURSE = [...COPY, ...COPY];
const trouble = fc.record({ at: fc.nat({ max: COURSE.length - 1 }), event });

interface Process {
  /** It runs, and its connection to the coordinator stands. */
  runs: boolean;
  connected: boolean;
  session: string | undefined;
  copy: CommitRef | undefined;
}

/** What is on the disk of a sink. */
interface Disk {
  pending: CommitRef | undefined;
  readonly done: Map<string, boolean>;
}

/** A fleet on paper around the real state machine and the real database. */
class Fleet {
  readonly #slot = new SlotDriver();
  readonly #store: Store;
  readonly #history: History;
  readonly #processes = new Map<string, Process>();
  readonly #disks = new Map<string, Disk>(SINKS.map((name) => [name, { pending: undefined, done: new Map() }]));
  /** What the process of the source knows to be proven, by copy. */
  #proven = new Map<string, Set<string>>();

  constructor(store: Store) {
    this.#store = store;
    const noop = (): void => undefined;
    const parts = { clock: systemClock, warn: (text: string) => expect.fail(text), noteEnd: noop };
    this.#history = new History(store, { ...parts, retention: { sessions: 10 } });
  }

  [Symbol.dispose](): void {
    this.#history[Symbol.dispose]();
    this.#store[Symbol.dispose]();
  }

  apply({ type, who }: Event): void {
    const process = this.#process(who);
    if (type === "start" && !process.runs) this.#start(who);
    else if (type === "kill" && process.runs) this.#gone(who, true);
    else if (type === "break" && process.connected) this.#gone(who, false);
    else if (type === "back" && process.runs && !process.connected) this.#back(who);
    else if (type === "prove") this.#prove(who);
    else if (type === "decide") this.#decide();
    else if (type === "finish" && process.connected && process.copy !== undefined) this.#see(this.#slot.finish(who));
    else if (type === "cancel") this.#see(this.#slot.cancel(who.repeat(8)));
    else if (type === "restart") this.#restart();
  }

  /** Everybody comes back as a new process, and one more copy goes to its end. */
  settle(): void {
    this.#restart();
    for (const name of EVERYBODY) {
      if (this.#process(name).runs) this.#gone(name, true);
      this.#start(name);
    }
    for (const name of SINKS) this.#prove(name);
    this.#decide();
    this.#see(this.#slot.finish(SOURCE));
  }

  /** What the sinks did about each copy. */
  get decisions(): ReadonlyMap<string, ReadonlySet<boolean>> {
    const all = new Map<string, Set<boolean>>();
    for (const { done } of this.#disks.values())
      for (const [copy, committed] of done) all.set(copy, (all.get(copy) ?? new Set()).add(committed));
    return all;
  }

  get waiting(): string[] {
    return [...this.#disks].filter(([, { pending }]) => pending !== undefined).map(([name]) => name);
  }

  get switched(): number {
    return [...this.decisions.values()].filter((each) => each.has(true)).length;
  }

  #process(who: string): Process {
    const known = this.#processes.get(who) ?? { runs: false, connected: false, session: undefined, copy: undefined };
    this.#processes.set(who, known);
    return known;
  }

  #start(who: string): void {
    Object.assign(this.#process(who), { runs: true, connected: true, session: undefined, copy: undefined });
    if (who === SOURCE) this.#proven = new Map();
    this.#join(who, undefined);
  }

  #back(who: string): void {
    const process = this.#process(who);
    process.connected = true;
    this.#join(who, process.copy);
  }

  #join(who: string, back: CommitRef | undefined): void {
    const role = who === SOURCE ? "source" : "sink";
    const said = role === "source" ? { needed: SINKS.length, commit: ALL } : { stay: true, snapshots: true };
    const past = back && this.#history.past({ id: back.sessionId, epoch: back.epoch }, role, who.repeat(8));
    if (past !== undefined) {
      const decision = past.decision === undefined ? {} : { decision: past.decision };
      this.#take(who, { type: "ended", summary: past.summary, ...decision });
      this.#process(who).copy = undefined;
      this.#see(this.#slot.join(who, role, said));
    } else this.#see(this.#slot.join(who, role, { ...said, ...(back === undefined ? {} : { back }) }));
    const isMember = this.#slot.state.members.some(({ id }) => id === who);
    if (!isMember) this.#gone(who, true);
  }

  #gone(who: string, isKilled: boolean): void {
    const process = this.#process(who);
    const wasConnected = process.connected;
    process.connected = false;
    if (isKilled) Object.assign(process, { runs: false, session: undefined, copy: undefined });
    if (wasConnected) this.#see(this.#slot.lose(who));
  }

  #prove(who: string): void {
    const { runs, copy } = this.#process(who);
    const disk = this.#disks.get(who);
    const source = this.#process(SOURCE);
    // The data may go on without the coordinator; but not without the source.
    if (!runs || copy === undefined || disk === undefined || !source.runs || keyOf(source.copy) !== keyOf(copy)) return;
    if (disk.done.has(keyOf(copy)) || disk.pending !== undefined) return;
    disk.pending = copy;
    this.#proven.set(keyOf(copy), (this.#proven.get(keyOf(copy)) ?? new Set()).add(who));
  }

  /** As the registry does. */
  #decide(): void {
    const source = this.#process(SOURCE);
    const { running } = this.#slot.state;
    if (!source.connected || source.copy === undefined || running === undefined) return;
    const copy = { sessionId: running.id, epoch: running.epoch };
    if (keyOf(copy) !== keyOf(source.copy) || !mayDecide(this.#slot.state, SOURCE)) return;
    const whole = [...(this.#proven.get(keyOf(copy)) ?? [])];
    const wish = { type: "decide" as const, all: running.sinks.map(({ id }) => id), whole, digest: DIGEST };
    const decision = decide(this.#slot.state, wish, this.#history);
    if (decision === undefined) expect.fail("want a decision");
    this.#see(this.#slot.feed({ type: "decided", memberId: SOURCE, decision }));
  }

  #restart(): void {
    for (const process of this.#processes.values()) process.connected = false;
    this.#slot.state = this.#history.restorable()[0]?.state ?? emptySlot("default", this.#history.coordinator);
  }

  #see(effects: readonly SlotEffect[]): void {
    for (const effect of effects) this.#write(effect);
    const welcomed: string[] = [];
    for (const effect of effects) {
      if (effect.type === "welcome") welcomed.push(this.#welcomed(effect));
      else if (effect.type === "send") this.#take(effect.to, effect.message);
      else if (effect.type === "release" && !effect.comesBack) this.#released(effect.memberId);
    }
    for (const who of welcomed) {
      this.#ask(who);
      if (this.#process(who).connected) this.#see(this.#slot.ready(who));
    }
  }

  #released(who: string): void {
    Object.assign(this.#process(who), { runs: false, connected: false, session: undefined, copy: undefined });
  }

  #welcomed({ member: { id }, session, rejoined }: Extract<SlotEffect, { type: "welcome" }>): string {
    const process = this.#process(id);
    process.session = session.id;
    if (!rejoined) process.copy = undefined;
    return id;
  }

  #take(who: string, message: CoordinatorMessage): void {
    const process = this.#process(who);
    if (!process.connected) return;
    if (message.type === "start") {
      const copy = { sessionId: process.session ?? "", epoch: message.epoch };
      // No copy begins before what waits is decided, unless it is the same one.
      this.#ask(who);
      const pending = this.#disks.get(who)?.pending;
      if (pending === undefined || keyOf(pending) === keyOf(copy)) process.copy = copy;
    } else if (message.type === "decided" || message.type === "ended") {
      if (message.decision !== undefined) this.#settle(who, message.decision);
      if (message.type === "ended") process.copy = undefined;
    }
  }

  /** Who is welcomed asks, and is answered, unless its connection breaks first. */
  #ask(who: string): void {
    const pending = this.#disks.get(who)?.pending;
    if (pending === undefined || !this.#process(who).connected) return;
    const decision = decisionOn(pending, [this.#slot.state], this.#history);
    if (decision !== undefined) this.#settle(who, decision);
  }

  #settle(who: string, decision: CommitDecision): void {
    const disk = this.#disks.get(who);
    if (disk?.pending === undefined || keyOf(disk.pending) !== keyOf(decision)) return;
    disk.done.set(keyOf(disk.pending), decision.digest !== undefined);
    disk.pending = undefined;
  }

  /** As the shell of the registry does. */
  #write(effect: SlotEffect): void {
    const history = this.#history;
    if (effect.type === "opened") history.opened(effect.session, "default");
    else if (effect.type === "welcome") history.joined(effect.member, undefined);
    else if (effect.type === "started") history.started(effect.session);
    else if (effect.type === "joined") history.tookPart(effect.session, effect.member.id);
    else if (effect.type === "taken-over") history.takenOver(effect.session);
    else if (effect.type === "forgotten") history.forgotten(effect.session.id);
    else if (effect.type === "ended") history.ended("default", effect.session, { end: effect.end });
  }
}

function keyOf(copy: CommitRef | undefined): string {
  return copy === undefined ? "" : `${copy.sessionId} ${copy.epoch}`;
}

test("whoever goes when, no two sinks switch differently, and nobody waits for ever", async () => {
  let switched = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(trouble, { maxLength: 20 }), async (troubles) => {
      using fleet = new Fleet(await openStore(await stateFolder(), new Date()));
      for (const [index, each] of COURSE.entries()) {
        for (const { at, event: between } of troubles) if (at === index) fleet.apply(between);
        fleet.apply(each);
      }
      fleet.settle();
      for (const [copy, done] of fleet.decisions) expect(done.size, copy).toBe(1);
      expect(fleet.waiting).toEqual([]);
      switched += fleet.switched;
    }),
    { numRuns: 200 },
  );
  // The last copy of each schedule, and many before.
  expect(switched).toBeGreaterThan(300);
});
