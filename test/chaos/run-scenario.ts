import { setTimeout as delay } from "node:timers/promises";
import { CliLab } from "../helpers/processes/cli.ts";
import { SeededRandom } from "../helpers/seeded-random.ts";
import { resendBound } from "./bound.ts";
import { bytesPublished, type Cast, castOf, partOf, progressOf, type SinkPart } from "./cast.ts";
import type { ChaosBroker } from "./chaos-broker.ts";
import { makeChaosTree } from "./chaos-tree.ts";
import { editLarge } from "./edit-large.ts";
import { judge } from "./judge.ts";
import { KeptStates } from "./kept-states.ts";
import { type Blow, describeScenario, laterCopies, type Scenario, type Victim } from "./scenario.ts";

export interface ScenarioResult {
  readonly bytes: number;
  readonly bytesPublished: number;
  /** Most that may have been published. */
  readonly bytesBound: number;
  /** Blows that fell, of all that were planned: a session may be over before. */
  readonly blowsFallen: number;
  /** Sessions that were needed: two when a process died between its last word and its end. */
  readonly sessions: number;
  readonly elapsedMs: number;
}

/** What went wrong, and what everybody printed. */
export class ChaosFailure extends Error {
  override readonly name = "ChaosFailure";
}

/** Plays a scenario, one copy after another. @throws ChaosFailure when one does not end as it must, or not in time */
export async function runScenario(scenario: Scenario, broker: ChaosBroker): Promise<ScenarioResult> {
  await using lab = await CliLab.open(scenario.isGuarded ? "guarded" : "open");
  const from = lab.path("source");
  let bytes = makeChaosTree(from, scenario.tree);
  const { keep } = scenario;
  const kept = keep && new KeptStates(lab, from, keep);
  const results: ScenarioResult[] = [];
  const random = new SeededRandom(scenario.seed);
  for (const blows of [scenario.blows, ...laterCopies(scenario)]) {
    const isFirst = results.length === 0;
    if (!isFirst && scenario.deltas !== undefined) bytes += editLarge(from, random);
    if (!isFirst) bytes = kept?.change(scenario.seed) ?? bytes;
    const cast = await castOf(lab, scenario, { broker: broker.option, isFirst });
    const play = new Play({ ...scenario, blows }, cast, broker, bytes);
    results.push(await playCopy(play, { scenario, cast, broker, kept, bytes }));
  }
  return results.reduce(added);
}

interface CopyParts {
  readonly scenario: Scenario;
  readonly cast: Cast;
  readonly broker: ChaosBroker;
  readonly kept: KeptStates | undefined;
  readonly bytes: number;
}

async function playCopy(play: Play, { scenario, cast, broker, kept, bytes }: CopyParts): Promise<ScenarioResult> {
  const startMs = performance.now();
  try {
    kept?.note();
    await play.run();
    const result = {
      ...{ bytes, bytesPublished: bytesPublished(cast.source), bytesBound: play.bound, blowsFallen: play.blowsFallen },
      ...{ sessions: play.sessions, elapsedMs: performance.now() - startMs },
    };
    const problems = [...(await judge(cast, broker, { ...result, ...scenario })), ...((await kept?.judge(cast)) ?? [])];
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return result;
  } catch (thrown) {
    const parts = [cast.coordinator, cast.source, ...cast.sinks] as const;
    const said = thrown instanceof Error ? thrown.message : String(thrown);
    const text = [describeScenario(scenario), said, ...play.diary, ...parts.map((part) => part.shown())].join("\n");
    throw new ChaosFailure(`Seed ${scenario.seed}: ${text}`, { cause: thrown });
  }
}

function added(one: ScenarioResult, other: ScenarioResult): ScenarioResult {
  const sum = (field: keyof ScenarioResult) => one[field] + other[field];
  return {
    ...{ bytes: sum("bytes"), bytesPublished: sum("bytesPublished"), bytesBound: sum("bytesBound") },
    ...{ blowsFallen: sum("blowsFallen"), sessions: sum("sessions"), elapsedMs: sum("elapsedMs") },
  };
}

const AFTER_END_MS = 15_000;

class Play {
  readonly diary: string[] = [];
  blowsFallen = 0;
  sessions = 1;
  bound: number;
  readonly #scenario: Scenario;
  readonly #cast: Cast;
  readonly #broker: ChaosBroker;
  readonly #bytes: number;
  /** Who was killed, or came late: the session may be over when it is ready. */
  readonly #mayBeAlone = new Set<string>();
  readonly #startMs = performance.now();

  constructor(scenario: Scenario, cast: Cast, broker: ChaosBroker, bytes: number) {
    this.#scenario = scenario;
    this.#cast = cast;
    this.#broker = broker;
    this.#bytes = bytes;
    // A late sink gets on its lane what had passed before it came: all of it at worst.
    this.bound = bytes * (1 + scenario.late.sinks);
  }

  async run(): Promise<void> {
    const { coordinator, source, sinks } = this.#cast;
    const expected = sinks.slice(0, this.#scenario.sinks);
    for (const part of [coordinator, ...expected, source] as const) part.start();
    const late = this.#startLate();
    for (const blow of this.#scenario.blows) await this.#strike(blow);
    await late;
    await this.#untilAllEnd();
    // It goes on for ever by itself.
    coordinator.current?.signal("SIGTERM");
    await Promise.race([coordinator.current?.ended, delay(AFTER_END_MS, undefined, { ref: false })]);
    if (coordinator.runs) throw new Error(`The coordinator did not end within ${AFTER_END_MS / 1000} s of SIGTERM`);
  }

  async #startLate(): Promise<void> {
    const { sinks, share } = this.#scenario.late;
    if (sinks === 0) return;
    await this.#until(`${share} of the bytes to be done`, () => this.#sourceIsOver() || this.#share() >= share);
    for (const sink of this.#cast.sinks.slice(this.#scenario.sinks)) {
      // After the session it would begin another one, and wait for a source that does not come.
      if (this.#sourceIsOver()) continue;
      this.#note(`starts ${sink.name} late`);
      sink.start();
      this.#mayBeAlone.add(sink.name);
    }
  }

  async #strike({ how = "kill", victims, at, delayMs, downMs }: Blow): Promise<void> {
    // A copy of which little is sent may be over when the blow before it falls.
    const isOver = () => this.#sourceIsOver() || this.#isLeftBehind();
    await this.#until(`the moment of a blow (${at})`, () => isOver() || this.#isMoment(at));
    await delay(delayMs);
    const hit = victims.filter((victim) => victim === "broker" || partOf(this.#cast, victim).runs);
    if (isOver() || hit.length === 0) return this.#note(`too late to ${how} ${victims.join(" and ")}`);
    this.#note(`${how}s ${hit.join(" and ")}, ${Math.round(this.#share() * 100)} % done`);
    if (how === "prune") return await this.#prune(hit, downMs);
    this.bound += resendBound(this.#cast, hit, this.#bytes);
    const freezes = how === "freeze";
    await Promise.all(hit.map((victim) => (freezes ? this.#signal(victim, "SIGSTOP") : this.#kill(victim))));
    await delay(downMs);
    this.#note(freezes ? "lets go on" : "starts again");
    await Promise.all(hit.map((victim) => (freezes ? this.#signal(victim, "SIGCONT") : this.#startAgain(victim))));
    if (!freezes) for (const victim of hit) this.#mayBeAlone.add(victim);
    this.blowsFallen += 1;
  }

  async #prune(victims: readonly Victim[], forMs: number): Promise<void> {
    for (const sink of this.#cast.sinks.filter(({ name }) => victims.some((victim) => victim === name))) {
      const pruning = this.#cast.prune(sink);
      await Promise.race([pruning.ended, delay(forMs)]);
      pruning.signal("SIGKILL");
      this.#note(`a prune of ${sink.name} ended with ${await pruning.ended}`);
    }
    this.blowsFallen += 1;
  }

  #signal(victim: Victim, signal: "SIGSTOP" | "SIGCONT"): void {
    if (victim !== "broker") partOf(this.#cast, victim).current?.signal(signal);
  }

  async #kill(victim: Victim): Promise<void> {
    await (victim === "broker" ? this.#broker.server?.kill() : partOf(this.#cast, victim).kill());
  }

  async #startAgain(victim: Victim): Promise<void> {
    if (victim === "broker") await this.#broker.server?.restart();
    else partOf(this.#cast, victim).start();
  }

  async #untilAllEnd(): Promise<void> {
    const all = () => [this.#cast.source, ...this.#started()];
    const over = () => all().every((part) => !part.runs);
    await this.#until("every process to end", () => over() || this.#isLeftBehind());
    if (over()) return;
    // Somebody was killed between its last word and its end, or came at that moment: the others are done and gone, and it
    // is alone. A person starts them once more, and there is nothing to do.
    this.#note("starts those again that had ended before the one that is alone");
    this.sessions = 2;
    for (const part of all()) if (!part.runs) part.start();
    await this.#until("every process to end again", over);
  }

  /** Only who was killed or came late still runs, and there is nobody for it. */
  #isLeftBehind(): boolean {
    const all = this.#all();
    const ended = all.filter((part) => !part.runs);
    const alone = all.filter((part) => part.runs);
    return (
      ended.length > 0 &&
      ended.every(({ status }) => status === 0) &&
      alone.every(({ name, current }) => this.#mayBeAlone.has(name) && current !== undefined && isWaiting(current))
    );
  }

  #isMoment(at: Blow["at"]): boolean {
    const { source } = this.#cast;
    if (at === "registered") return this.#all().some((part) => saw(part.current, "joined"));
    if (at === "verifying") return this.#started().some(({ current }) => current !== undefined && verifies(current));
    if (at === "proven" || at === "pruning")
      return this.#started().some(({ current }) => saw(current, at === "proven" ? "snapshot" : "pruned"));
    return saw(source.current, "started") && this.#share() >= at;
  }

  /** Of the bytes, what the slowest sink has. */
  #share(): number {
    const done = this.#started().map(({ lives }) =>
      Math.max(0, ...lives.map((life) => progressOf(life)?.bytesDone ?? 0)),
    );
    return Math.min(...done) / this.#bytes;
  }

  #sourceIsOver(): boolean {
    return this.#cast.source.status !== undefined;
  }

  #started(): SinkPart[] {
    return this.#cast.sinks.filter(({ lives }) => lives.length > 0);
  }

  #all() {
    return [this.#cast.source, ...this.#started()] as const;
  }

  /** Looks whenever somebody prints a line. A process that ends badly by itself ends the scenario. */
  async #until(what: string, look: () => boolean): Promise<void> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#startMs + this.#scenario.deadlineMs - performance.now());
    const late = new Promise<void>((resolve) => {
      deadline.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      for (;;) {
        const failed = [...this.#all(), this.#cast.coordinator].find(
          ({ status, name }) => status !== undefined && status !== 0 && !(status === 137 && this.#dies(name)),
        );
        if (failed !== undefined) throw new Error(`The ${failed.name} ended with ${failed.status}`);
        if (look()) return;
        if (deadline.signal.aborted)
          throw new Error(`Waited ${this.#scenario.deadlineMs / 1000} s for ${what}: a hang`);
        const running = [...this.#all(), this.#cast.coordinator].filter((part) => part.runs);
        await Promise.race([late, ...running.map(({ current }) => current?.changed())]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether a blow holds it at this moment. */
  #dies(name: string): boolean {
    return this.#scenario.blows.some(({ victims }) => victims.some((victim) => victim === name));
  }

  #note(text: string): void {
    this.diary.push(`${((performance.now() - this.#startMs) / 1000).toFixed(2)} s: ${text}`);
  }
}

function saw(life: { readonly events: readonly { readonly type: string }[] } | undefined, type: string): boolean {
  return life?.events.some((event) => event.type === type) ?? false;
}

/** Registered, and in no session. */
function isWaiting({ events }: { readonly events: readonly { readonly type: string }[] }): boolean {
  return events.findLast(({ type }) => type === "waiting" || type === "started")?.type === "waiting";
}

function verifies({ events }: NonNullable<SinkPart["current"]>): boolean {
  return events.some((event) => event.type === "progress" && event.state === "verifying");
}
