/** Memory that several use, each until it says so. Whoever makes it holds it first, and lets go when all others have had the chance to. */
export class Lease {
  readonly #free: () => void;
  #holds = 0;

  /** `free` is called once, when nobody holds it any more. */
  constructor(free: () => void) {
    this.#free = free;
  }

  /** The function returned lets go, and is idempotent. */
  hold(): () => void {
    this.#holds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      if (this.#holds === 0) this.#free();
    };
  }
}
