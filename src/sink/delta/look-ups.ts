import { TELL_BYTES } from "../disk/read-content.ts";

/** What a sink reads of the files that it holds to look up pieces, of all files together: many of middle size take long, too. */
export class LookUps {
  readonly #onBusy: () => void;
  #untoldBytes = 0;

  /** `onBusy` is called now and then. */
  constructor(onBusy: () => void) {
    this.#onBusy = onBusy;
  }

  read(bytes: number): void {
    this.#untoldBytes += bytes;
    if (this.#untoldBytes < TELL_BYTES) return;
    this.#untoldBytes = 0;
    this.#onBusy();
  }
}
