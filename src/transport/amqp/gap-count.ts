/** Says where a message stands among those of its publisher on its subject: its headers [P-2.5]. */
interface MessagePosition {
  readonly publisher: string;
  readonly subject: string;
  /** Messages published before it. */
  readonly messages: number;
  /** Their bytes. */
  readonly bytes: number;
}

interface Gap {
  readonly messages: number;
  readonly bytes: number;
}

/** Publishers and subjects remembered. The one that is silent longest is forgotten first, and a gap of it not seen. */
const POSITIONS_MAX = 1024;

/** Finds what a broker dropped without a word (`drop-head`, a lost link) from the positions of what did arrive. */
export class GapCount {
  readonly #next = new Map<string, { readonly messages: number; readonly bytes: number }>();

  /** Takes the next message; tells what is missing before it. */
  take(position: MessagePosition, payloadBytes: number): Gap | undefined {
    const key = `${position.publisher} ${position.subject}`;
    const expected = this.#next.get(key);
    this.#next.delete(key);
    this.#next.set(key, { messages: position.messages + 1, bytes: position.bytes + payloadBytes });
    if (this.#next.size > POSITIONS_MAX) this.#forgetOldest();
    if (expected === undefined || position.messages <= expected.messages) return undefined;
    return { messages: position.messages - expected.messages, bytes: Math.max(0, position.bytes - expected.bytes) };
  }

  #forgetOldest(): void {
    for (const key of this.#next.keys()) {
      this.#next.delete(key);
      return;
    }
  }
}
