import type { ScreenSize } from "../view.ts";
import { fitEnd, stringWidth } from "./fit.ts";

/** Lines behind the first are set in by this much more, where the terminal is not too narrow for it. */
const HANGING_COLUMNS = 2;
const NARROW_COLUMNS = 40;

/** Breaks lines between words, where a terminal of `columns` would break them in the middle of one. */
export function wrapText(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => (stringWidth(line) <= columns ? [line] : wrapLine(line, columns)))
    .join("\n");
}

/**
 * As much of a text as fits on a screen, broken between words. A reason must not be cut off: it is what people look for.
 */
export function fitLines(text: string, { columns, rows }: ScreenSize): string {
  const lines = wrapText(text, columns).split("\n");
  const room = Math.max(1, rows - 1);
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), lines.slice(room - 1).join(" ")];
  return shown.map((line) => fitEnd(line, columns)).join("\n");
}

function wrapLine(line: string, columns: number): string[] {
  const inset = /^ */.exec(line)?.[0] ?? "";
  const hanging = columns < NARROW_COLUMNS ? "" : inset + " ".repeat(HANGING_COLUMNS);
  const lines: string[] = [];
  let current = "";
  for (const word of line.slice(inset.length).split(" ")) {
    const begin = lines.length === 0 ? inset : hanging;
    const longer = current === "" ? begin + word : `${current} ${word}`;
    if (current === "" || stringWidth(longer) <= columns) {
      current = longer;
      continue;
    }
    lines.push(current.trimEnd());
    current = hanging + word;
  }
  return [...lines, current];
}
