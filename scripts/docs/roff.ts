/** Text as roff takes it: nothing in it is a request, and a dash is one that can be pasted. */
export function roff(text: string): string {
  return text
    .replaceAll(/[\\\-'`^~"]/g, (sign) => SIGNS[sign] ?? sign)
    .replaceAll(/[^\n\u0020-\u007e]/gu, (character) => `\\[u${hexOf(character)}]`)
    .replaceAll(/^(?=[.'])/gm, "\\&");
}

const SIGNS: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}

export function section(title: string, ...lines: readonly string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

/** A term, and what it means. */
export function item(term: string, meaning: string): string[] {
  return [".TP", term, meaning];
}

/** Lines that stay as they are. */
export function verbatim(text: string): string[] {
  return [".nf", ...roff(text).split("\n"), ".fi"];
}
