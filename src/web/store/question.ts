import { type ReadonlySignal, signal } from "@preact/signals";

/** Something that a person is asked before it is done. */
export interface Question {
  readonly title: string;
  readonly words: readonly string[];
  /** What the button says that does it. */
  readonly does: string;
  /** It cannot be taken back. */
  readonly isGrave: boolean;
  /** A text that is wanted, too. */
  readonly field?: {
    readonly label: string;
    readonly value: string;
    readonly hint: string;
    readonly choices: readonly string[];
    readonly isSecret?: boolean;
  };
  readonly act: (text: string) => Promise<void>;
}

const current = signal<Question | undefined>(undefined);

export const question: ReadonlySignal<Question | undefined> = current;

export function pose(next: Question): void {
  current.value = next;
}

export function leave(): void {
  current.value = undefined;
}
