import { pump } from "../../lib/async/pump.ts";
import type { Transport } from "../../transport/transport.ts";

/** Whether the source's own link to the broker stands. While it does not, nothing can be heard of any sink. */
export class LinkWatch {
  #isUp = true;

  constructor(transport: Transport) {
    const take = ({ type }: { readonly type: string }): void => {
      if (type === "disconnected" || type === "reconnecting" || type === "blocked") this.#isUp = false;
      if (type === "reconnected" || type === "unblocked") this.#isUp = true;
    };
    void pump(transport.status(), take, () => undefined);
  }

  get isUp(): boolean {
    return this.#isUp;
  }
}
