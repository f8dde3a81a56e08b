import type { Tone } from "../words/state-words.ts";

interface ChipProps {
  readonly tone: Tone;
  readonly text: string;
}

/** A state in one word. */
export function Chip({ tone, text }: ChipProps) {
  return <span class={`chip ${tone}`}>{text}</span>;
}
