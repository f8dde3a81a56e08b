import { FanfoldError } from "../lib/errors.ts";
import type { HoldMessage } from "./inbox.ts";

/** A coordinator says why one has to wait once for each failed attempt to reach its broker: a day of them are fewer. */
const HOLDS_MAX = 10_000;

/** Why a coordinator does not let a member in, over one connection. */
export class HoldWatch {
  readonly #where: string;
  #last: HoldMessage | undefined;
  #count = 0;

  constructor(where: string) {
    this.#where = where;
  }

  get last(): HoldMessage | undefined {
    return this.#last;
  }

  /** Whether it says something new. @throws FanfoldError `damaged` when it is said too often, or to one that was let in */
  take(hold: HoldMessage, wasLetIn: boolean): boolean {
    this.#count += 1;
    if (wasLetIn || this.#count > HOLDS_MAX) {
      const what = `cannot listen to the coordinator at ${this.#where}`;
      throw new FanfoldError(
        "damaged",
        `${what}: it asked this member to wait too often, or after it had let the member in`,
      );
    }
    const before = this.#last;
    this.#last = hold;
    return before?.reason !== hold.reason || before.code !== hold.code;
  }
}
