import { stringWidth } from "./fit.ts";

let characters: Intl.Segmenter | undefined;
const ASCII = /^[\x00-\x7f]*$/;

/** A line for a terminal that shows nothing but ASCII, as wide as before: `?` for each column of any other character. */
export function asciiText(line: string): string {
  if (ASCII.test(line)) return line;
  characters ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(characters.segment(line), ({ segment }) => asciiCharacter(segment)).join("");
}

function asciiCharacter(character: string): string {
  if (ASCII.test(character)) return character;
  return character === "…" ? "~" : "?".repeat(stringWidth(character));
}
