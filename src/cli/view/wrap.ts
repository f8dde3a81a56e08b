import { stringWidth } from "./fit.ts";

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
