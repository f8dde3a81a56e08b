import type { LacksMessage } from "../delta/open-recipes.ts";

/** Answers that one repetition sends again. */
const REPEATED_MAX = 64;

/** Answers to recipes that may not have arrived [P-17]: sent again, some at a time, in turns, until the source acts on them. */
export class LacksRepeater {
  readonly #answers = new Map<string, LacksMessage>();
  readonly #lately = new Set<string>();

  add(answer: LacksMessage): void {
    const key = `${answer.entry} ${answer.slice}`;
    this.#answers.set(key, answer);
    this.#lately.add(key);
  }

  /** The source has acted on the answers of this entry. */
  settled(entry: number): void {
    for (const [key, answer] of this.#answers) if (answer.entry === entry) this.#answers.delete(key);
  }

  /** Those that are due now: none that was sent since the last call. */
  due(): LacksMessage[] {
    const due = [...this.#answers].filter(([key]) => !this.#lately.has(key)).slice(0, REPEATED_MAX);
    this.#lately.clear();
    for (const [key, answer] of due) {
      // The others come first the next time: which of them got lost, nobody knows.
      this.#answers.delete(key);
      this.#answers.set(key, answer);
    }
    return due.map(([, answer]) => answer);
  }
}
