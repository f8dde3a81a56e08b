import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { ProgramFailure } from "../../lib/programs/program-failure.ts";
import type { Random } from "../../lib/random.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import { factsOf } from "./notice.ts";
import type { NoticeOutbox, NoticeWay, OutboxEntry } from "./notice-outbox.ts";

/** Waits between the attempts: a receiver may be away for most of a day. */
const RETRY_MS = [1000, 5000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000];
/** At the end of a coordinator, what is on its way may still arrive. */
const CLOSE_WITHIN_MS = 3000;

interface CourierOptions {
  readonly way: NoticeWay;
  readonly outbox: NoticeOutbox;
  /** Gives what there is to say of it. */
  readonly deliver: (entry: OutboxEntry, signal: AbortSignal) => Promise<string>;
  readonly emit: (event: CoordinatorEvent) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/** Tells what is in the outbox by one way: one after the other, and again when it fails, until it is told or given up. */
export class Courier implements AsyncDisposable {
  readonly #options: CourierOptions;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #woken = Promise.withResolvers<void>();
  #closed = false;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** There is something new. */
  wake(): void {
    this.#woken.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.wake();
    const timer = setTimeout(
      () => this.#closing.abort(new FanfoldError("closed", "The coordinator stops")),
      CLOSE_WITHIN_MS,
    );
    await this.#running;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { outbox, way, clock } = this.#options;
    while (!this.#closed) {
      const entry = this.#guarded(() => outbox.next(way));
      const waitMs = entry === undefined ? undefined : entry.due.getTime() - clock.date().getTime();
      if (entry === undefined || waitMs === undefined || waitMs > 0) await this.#pause(waitMs);
      else await this.#attempt(entry);
    }
  }

  /** Until something is due, or new. */
  async #pause(ms: number | undefined): Promise<void> {
    const over = new AbortController();
    const { promise } = this.#woken;
    const due = ms === undefined ? promise : this.#options.clock.sleep(ms, over.signal).catch(() => undefined);
    await Promise.race([promise, due]);
    over.abort();
    this.#woken = Promise.withResolvers();
  }

  async #attempt(entry: OutboxEntry): Promise<void> {
    const { way, outbox, deliver, emit } = this.#options;
    const { type: about, session } = factsOf(entry.body);
    try {
      const output = await deliver(entry, this.#closing.signal);
      this.#guarded(() => outbox.remove(entry.number));
      emit({ type: "told", via: way, id: entry.id, about, session, ...outputPart(output) });
    } catch (thrown) {
      if (this.#closing.signal.aborted) return;
      this.#failed(entry, FanfoldError.from(thrown));
    }
  }

  #failed({ number, attempts, body }: OutboxEntry, failure: FanfoldError): void {
    const { outbox, clock, random, emit } = this.#options;
    const { type, session } = factsOf(body);
    const what = `session ${session}, ${type}: ${failure.message}`;
    const warn = (then: string): void => {
      const output = failure instanceof ProgramFailure ? outputPart(failure.output) : {};
      emit({ type: "warning", code: "notice-failed", message: `${what}; ${then}`, ...output });
    };
    const retryMs = RETRY_MS[attempts];
    if (retryMs === undefined) {
      this.#guarded(() => outbox.remove(number));
      warn(`given up after ${attempts + 1} attempts`);
      return;
    }
    // A little more, so that many coordinators do not come in step.
    const inMs = retryMs * (1 + random.fraction() / 4);
    const due = new Date(clock.date().getTime() + inMs);
    this.#guarded(() => outbox.postpone(number, due));
    warn(`tried again in ${Math.ceil(inMs / 1000)} s`);
  }

  /** A state that cannot be written is told; what was told already is then told again. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (thrown) {
      const { message: why } = FanfoldError.from(thrown);
      const message = `cannot keep what is to be told: ${why}; nobody is told until the coordinator is started again`;
      this.#options.emit({ type: "warning", code: "history-failed", message });
      this.#closed = true;
      return undefined;
    }
  }
}

function outputPart(output: string): { readonly output?: string } {
  return output === "" ? {} : { output };
}
