import { abortable } from "../lib/abort.ts";
import type { CoordinatorMessage } from "../protocol/control.ts";
import type { ControlLink } from "./control-link.ts";
import { refusedError } from "./join.ts";

export type Welcome = Extract<CoordinatorMessage, { type: "welcome" }>;
export type Start = Extract<CoordinatorMessage, { type: "start" }>;
export type Ended = Extract<CoordinatorMessage, { type: "ended" }>;

/** What the coordinator says, one message after another; a refusal and the end of the link are errors. */
export class Inbox {
  readonly #link: ControlLink;
  readonly #messages: AsyncIterator<CoordinatorMessage>;
  readonly #signal: AbortSignal;

  constructor(link: ControlLink, signal: AbortSignal) {
    this.#link = link;
    this.#messages = link.messages[Symbol.asyncIterator]();
    this.#signal = signal;
  }

  /** @throws FanfoldError the refusal, why the link ended, or the reason of the signal */
  async next(signal = this.#signal): Promise<Exclude<CoordinatorMessage, { type: "refused" }>> {
    const next = await abortable(this.#messages.next(), signal);
    if (next.done === true) throw await this.#link.closed;
    if (next.value.type === "refused") throw refusedError(next.value);
    return next.value;
  }

  /** Skips to the next welcome. */
  async welcome(): Promise<Welcome> {
    for (;;) {
      const message = await this.next();
      if (message.type === "welcome") return message;
    }
  }
}
