import cliTruncate from "cli-truncate";
import stringWidth from "string-width";

/** Cuts in the middle, where a path says least: the folder it is in and its name stay readable. */
export function fitMiddle(text: string, columns: number): string {
  return cut(text, columns, "middle");
}

/** Cuts at the end. */
export function fitEnd(text: string, columns: number): string {
  return cut(text, columns, "end");
}

/** Exactly `columns` wide: cut at the end, or filled with spaces; wide characters count as two. */
export function fitExactly(text: string, columns: number): string {
  const fitted = fitEnd(text, columns);
  return fitted + " ".repeat(Math.max(0, columns - stringWidth(fitted)));
}

/** As many of `parts`, in their order of importance, as fit beside each other. The first is cut when it alone is too wide. */
export function fitParts(parts: readonly string[], columns: number, separator: string): string {
  let line = "";
  for (const part of parts) {
    if (part === "") continue;
    const longer = line === "" ? part : line + separator + part;
    if (stringWidth(longer) > columns) break;
    line = longer;
  }
  return line === "" ? fitEnd(parts[0] ?? "", columns) : line;
}

/** `alpha, beta and 3 more`, no wider than `columns` as long as one name fits. */
export function fitNames(names: readonly string[], columns: number): string {
  const all = names.join(", ");
  if (stringWidth(all) <= columns) return all;
  for (let shown = names.length - 1; shown >= 1; shown -= 1) {
    const text = `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`;
    if (stringWidth(text) <= columns) return text;
  }
  return fitEnd(all, columns);
}

function cut(text: string, columns: number, position: "middle" | "end"): string {
  // Where a wide character stands at the cut, what cli-truncate gives can be one column too wide.
  for (let room = columns; room >= 1; room -= 1) {
    const fitted = cliTruncate(text, room, { position });
    if (stringWidth(fitted) <= columns) return fitted;
  }
  return "";
}

export { stringWidth };
