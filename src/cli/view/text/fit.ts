import { createRequire } from "node:module";
import type cliTruncateType from "cli-truncate";
import type stringWidthType from "string-width";

/**
 * What of the tables of Unicode is needed. Loading them takes as long as the start of Node.js. A terminal brings them with
 * it. Without one, the first text that needs them loads them from their packages.
 */
const load = createRequire(import.meta.url);
let measureText: typeof stringWidthType | undefined;
let truncateText: typeof cliTruncateType | undefined;

/** What a terminal is drawn with anyway. */
export function measureWith(measure: typeof stringWidthType, truncate: typeof cliTruncateType): void {
  measureText = measure;
  truncateText = truncate;
}

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Columns that a text takes at a terminal: escape sequences none, wide characters two. */
export function stringWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  measureText ??= (load("string-width") as { default: typeof stringWidthType }).default;
  return measureText(text);
}

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
  if (PRINTABLE_ASCII.test(text) && text.length <= columns) return text;
  truncateText ??= (load("cli-truncate") as { default: typeof cliTruncateType }).default;
  // Where a wide character stands at the cut, what cli-truncate gives can be one column too wide.
  for (let room = columns; room >= 1; room -= 1) {
    const fitted = truncateText(text, room, { position });
    if (stringWidth(fitted) <= columns) return fitted;
  }
  return "";
}
