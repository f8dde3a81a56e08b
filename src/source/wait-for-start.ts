import type { Clock } from "../lib/clock.ts";
import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { Ended, Start, Welcome } from "../member/inbox.ts";
import type { LiveTarget } from "../member/join.ts";
import type { SteadyLink } from "../member/steady-link.ts";
import type { Member } from "../protocol/messages/control.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { countedOf, missingOf } from "../protocol/names/expected-names.ts";
import { neededAfter, type SinkNeed } from "./sink-need.ts";

type SealFields = Pick<Extract<SourceEvent, { type: "started" }>, "sealed" | "recipients">;

interface WaitForStartOptions {
  readonly need: SinkNeed;
  readonly live: LiveTarget;
  /** Since when it waits. */
  readonly sinceMs: number;
  readonly clock: Clock;
  readonly emit: (event: SourceEvent) => void;
  readonly signal: AbortSignal;
  /** Whether what is sent is encrypted, and for how many keys where the coordinator does not pass the secret on. */
  readonly seal: SealFields;
}

/**
 * Waits until enough sinks are registered, showing who is there. Or until the coordinator comes back with another welcome.
 *
 * @throws FanfoldError `wait-timeout`, how the session was ended, or why the link ended
 */
export async function waitForStart(link: SteadyLink, options: WaitForStartOptions): Promise<Start | Welcome> {
  const { need, live, emit, seal } = options;
  using wait = new SinkWait(link, options);
  for (;;) {
    const message = await link.next(wait.signal);
    if (message.type === "welcome") return message;
    if (message.type === "start") {
      const sinks = message.sinks.map((sink) => sink.name);
      emit({ type: "started", sinks, ...missingField(need, message.sinks), ...seal });
      return message;
    }
    if (message.type === "ended") throw endedError(message);
    if (message.type === "transport") live.renew(message.transport);
    if (message.type === "elsewhere") {
      emit(message);
      wait.sawElsewhere(message.sessions);
    }
    if (message.type !== "sinks") continue;
    const sinks = message.sinks.map((sink) => sink.name);
    emit({ type: "waiting", needed: message.needed, sinks, ...missingField(need, message.sinks) });
    wait.saw(message.sinks);
  }
}

/** What the time does to a wait: at first fewer sinks are enough, then it is over. */
class SinkWait implements Disposable {
  /** Aborts when the wait is over in vain. */
  readonly signal: AbortSignal;
  readonly #options: WaitForStartOptions;
  readonly #over = new AbortController();
  /** Ends the sleeps with the wait: they would else keep the process of a short session for all of their time. */
  readonly #done = new AbortController();
  /** Who is registered; undefined until the coordinator has said so. */
  #there: readonly Member[] | undefined;
  #isTimeUp = false;
  /** Other sessions that have sinks, as was said while this one had none. */
  #elsewhere: readonly string[] = [];

  constructor(link: SteadyLink, options: WaitForStartOptions) {
    this.#options = options;
    this.signal = AbortSignal.any([options.signal, this.#over.signal]);
    const { need } = options;
    // Before the end of the wait, which may come at the same time: with the fewer that are enough it begins after all.
    if (need.least < need.most) this.#at(need.waitMs, () => link.send({ type: "need", destCount: need.least }));
    this.#at(need.giveUpMs, () => {
      this.#isTimeUp = true;
      this.#judge();
    });
  }

  saw(sinks: readonly Member[]): void {
    this.#there = sinks;
    this.#judge();
  }

  sawElsewhere(sessions: readonly string[]): void {
    this.#elsewhere = sessions;
  }

  [Symbol.dispose](): void {
    this.#done.abort();
  }

  #at(atMs: number, act: () => void): void {
    if (atMs === Number.POSITIVE_INFINITY) return;
    const { clock, sinceMs, signal } = this.#options;
    const leftMs = Math.max(0, sinceMs + atMs - clock.nowMs());
    clock.sleep(leftMs, AbortSignal.any([signal, this.#done.signal])).then(act, () => undefined);
  }

  #judge(): void {
    const { need } = this.#options;
    const there = this.#there;
    if (!this.#isTimeUp || there === undefined) return;
    const needed = neededAfter(need, need.giveUpMs);
    const counted = countedOf(need.expected, there).length;
    if (counted >= needed) return;
    const names = there.length === 0 ? this.#hint() : ` (${there.map(({ name }) => name).join(", ")})`;
    const { missing = [] } = missingField(need, there);
    const absent = missing.length === 0 ? "" : `; missing: ${missing.join(", ")}`;
    const text = `too few sinks: ${counted} of ${needed} registered after ${need.giveUpMs / 1000} s${names}${absent}`;
    this.#over.abort(new FanfoldError("wait-timeout", text));
  }

  #hint(): string {
    return this.#elsewhere.length === 0 ? "" : `; in other sessions sinks wait: ${this.#elsewhere.join(", ")}`;
  }
}

/** The missing sinks for an event: those that are expected and not there. Empty when all are there. */
function missingField({ expected }: SinkNeed, there: readonly Member[]): { readonly missing?: readonly string[] } {
  const missing = missingOf(expected, there);
  return missing.length === 0 ? {} : { missing };
}

/** The session was ended by somebody else: by another process of this source, say. */
export function endedError({ code, reason }: Ended): FanfoldError {
  const known = code !== undefined && isErrorCode(code) ? code : "refused";
  return new FanfoldError(known, reason ?? "The coordinator ended the session");
}
