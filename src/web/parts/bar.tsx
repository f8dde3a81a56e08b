import type { Tone } from "../words/state-words.ts";

interface BarProps {
  /** From 0 to 1; undefined while nobody knows how much there is. */
  readonly fraction: number | undefined;
  readonly label: string;
  readonly tone?: Tone;
}

/** How far something is. */
export function Bar({ fraction, label, tone = "busy" }: BarProps) {
  const percent = fraction === undefined ? undefined : Math.floor(fraction * 100);
  const value = percent === undefined ? {} : { "aria-valuenow": percent };
  return (
    <div
      class={`bar ${tone} ${fraction === undefined ? "open" : ""}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...value}
    >
      <div style={{ width: `${((fraction ?? 0.2) * 100).toFixed(2)}%` }} />
    </div>
  );
}
