import { abortable } from "../lib/async/abort.ts";
import { FanfoldError } from "../lib/errors.ts";
import { BoundedQueue } from "../lib/memory/bounded-queue.ts";
import type { CoordinatorMessage } from "../protocol/messages/control.ts";

export type Welcome = Extract<CoordinatorMessage, { type: "welcome" }>;
export type Start = Extract<CoordinatorMessage, { type: "start" }>;
export type Ended = Extract<CoordinatorMessage, { type: "ended" }>;
export type HoldMessage = Extract<CoordinatorMessage, { type: "hold" }>;
export type VerifyOrder = Extract<CoordinatorMessage, { type: "verify" }>;
/**
 * What a member is told. A refusal is an error instead, and a `challenge` and a `hold` come before there is a member. A
 * `limit` goes to whoever holds the rate, a `verify` to whoever reads the folder.
 */
export type Told = Exclude<CoordinatorMessage, { type: "refused" | "challenge" | "hold" | "limit" | "verify" | "run" }>;

const MESSAGES_WAITING_MAX = 1_000;

/** What the coordinator says, one message after another, until an error ends it. For one reader. */
export class Inbox<Item> {
  readonly #queue = new BoundedQueue<Item>({ limit: MESSAGES_WAITING_MAX, sizeOf: () => 1 });
  readonly #items: AsyncIterator<Item> = this.#queue[Symbol.asyncIterator]();
  /** Asked for and not yet handed over: a wait that was broken off must lose nothing. */
  #pending: Promise<IteratorResult<Item>> | undefined;
  #failure: FanfoldError | undefined;

  /** @throws FanfoldError `damaged` when the reader is too far behind */
  push(item: Item): void {
    if (!this.#queue.push(item))
      throw new FanfoldError(
        "damaged",
        `cannot listen to the coordinator: ${MESSAGES_WAITING_MAX} messages wait already`,
      );
  }

  /** Nothing more comes; what has come is still handed over. */
  end(error: FanfoldError): void {
    this.#failure ??= error;
    this.#queue.end();
  }

  /** @throws FanfoldError what ended it, or the reason of the signal */
  async next(signal: AbortSignal): Promise<Item> {
    this.#pending ??= this.#items.next();
    const next = await abortable(this.#pending, signal);
    this.#pending = undefined;
    if (next.done !== true) return next.value;
    throw this.#failure ?? new FanfoldError("closed", "cannot listen to the coordinator: the link was closed");
  }
}
