/**
 * What a page of Markdown may not have: a sentence of more than 28 words, or a line of more than 120 characters.
 * Blocks of code, tables and headings are not read: they have no sentences, and a row of a table is one line.
 */
const SENTENCE_WORDS_MAX = 28;
const LINE_CHARACTERS_MAX = 120;

const FENCE = /^\s*(```|~~~)/;
const APART = /^\s*(\||#{1,6} |<)/;
const LIST_ITEM = /^\s*([-*+]|\d+\.)\s/;

export function proseProblems(file: string, text: string): string[] {
  const problems: string[] = [];
  let paragraph = { line: 0, text: "" };
  const endParagraph = () => {
    for (const sentence of sentencesOf(paragraph.text)) {
      const words = sentence.split(" ").filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
      if (words > SENTENCE_WORDS_MAX) {
        const start = sentence.split(" ").slice(0, 6).join(" ");
        problems.push(`${file}:${paragraph.line}: "${start} …" has ${words} words, at most ${SENTENCE_WORDS_MAX}`);
      }
    }
    paragraph = { line: 0, text: "" };
  };
  let isCode = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (FENCE.test(line)) isCode = !isCode;
    const isProse = !isCode && !FENCE.test(line) && !APART.test(line);
    if (!isProse || line.trim() === "" || LIST_ITEM.test(line)) endParagraph();
    if (!isProse || line.trim() === "") continue;
    if (paragraph.text === "") paragraph.line = index + 1;
    paragraph.text += ` ${line}`;
    if (line.length > LINE_CHARACTERS_MAX)
      problems.push(`${file}:${index + 1}: ${line.length} characters, at most ${LINE_CHARACTERS_MAX}`);
  }
  endParagraph();
  return problems;
}

/** Code between backticks counts as one word, and so does a link's address. */
function sentencesOf(paragraph: string): string[] {
  return paragraph
    .replaceAll(/`[^`]*`/g, "x")
    .replaceAll(/\]\([^)]*\)/g, "]")
    .replace(LIST_ITEM, " ")
    .split(/[.?!][)"*_]*\s+(?=\S)/)
    .map((sentence) => sentence.trim().replaceAll(/\s+/g, " "))
    .filter((sentence) => sentence !== "");
}
