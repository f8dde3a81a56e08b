import { pump } from "../../lib/async/pump.ts";
import type { FanfoldError } from "../../lib/errors.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../../protocol/limits.ts";
import { type SessionSubjects, toSubject } from "../../protocol/subjects.ts";
import type { Subscription, Transport } from "../../transport/transport.ts";

/** Takes payloads one after another; a promise holds what comes behind on the same subject. */
type PayloadTarget = (payload: Uint8Array, isOwnSubject: boolean) => void | Promise<void>;

interface IntakeOptions {
  readonly transport: Transport;
  readonly subjects: SessionSubjects;
  readonly memberId: string;
  readonly onFailure: (error: FanfoldError) => void;
  readonly signal: AbortSignal;
}

/**
 * The payloads for one sink in a session. They come on its own subject, and on that of all sinks when it takes part there.
 * While there is no target, it waits in the queues of the subscriptions.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #data: Subscription | undefined;
  #wantsData = false;
  #subscribing = false;
  #target: PayloadTarget | undefined;
  #targeted = Promise.withResolvers<void>();

  private constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Resolves when what is published from then on arrives; `signal` ends the opening only. */
  static async open(options: IntakeOptions, withData: boolean, signal = options.signal): Promise<Intake> {
    const intake = new Intake(options);
    await intake.takeData(withData, signal);
    const own = await intake.#subscribe(toSubject(options.subjects, options.memberId), signal);
    void pump(own, ({ payload }) => intake.#hand(payload, true), options.onFailure);
    return intake;
  }

  setTarget(target: PayloadTarget | undefined): void {
    this.#target = target;
    if (target === undefined) return;
    this.#targeted.resolve();
    this.#targeted = Promise.withResolvers();
  }

  /** Takes part in the data for all sinks from now on, or does not. Idempotent. */
  async takeData(wanted: boolean, signal = this.#options.signal): Promise<void> {
    this.#wantsData = wanted;
    if (!wanted) {
      const data = this.#data;
      this.#data = undefined;
      await data?.unsubscribe();
      return;
    }
    if (this.#data !== undefined || this.#subscribing) return;
    this.#subscribing = true;
    try {
      const data = await this.#subscribe(this.#options.subjects.data, signal);
      if (!this.#wantsData) return await data.unsubscribe();
      this.#data = data;
      void pump(data, ({ payload }) => this.#hand(payload, false), this.#options.onFailure);
    } finally {
      this.#subscribing = false;
    }
  }

  #subscribe(subject: string, signal: AbortSignal): Promise<Subscription> {
    return this.#options.transport.subscribe(subject, { signal, queueBytes: SUBSCRIBER_QUEUE_BYTES });
  }

  #hand(payload: Uint8Array, isOwnSubject: boolean): void | Promise<void> {
    return this.#target === undefined ? this.#handLater(payload, isOwnSubject) : this.#target(payload, isOwnSubject);
  }

  async #handLater(payload: Uint8Array, isOwnSubject: boolean): Promise<void> {
    while (this.#target === undefined) await this.#targeted.promise;
    await this.#target(payload, isOwnSubject);
  }
}
