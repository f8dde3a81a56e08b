/** Keys below are never looked for: a profile's command, and a key of it, are four deep. */
const DEPTH_MAX = 8;

/**
 * Tells the line of each key and table in a text that is TOML: the parser does not. Keys inside of an inline table have the
 * line of the table.
 */
export function tomlLines(text: string): (path: readonly string[]) => number {
  const lines = new Map<string, number>();
  const scan = new Scan(text);
  let table: readonly string[] = [];
  for (scan.skipBlank(); !scan.isOver; scan.skipBlank()) {
    const { line } = scan;
    const isHeader = scan.peek === "[";
    if (isHeader) scan.skipBrackets();
    const key = scan.takeKey();
    if (isHeader) table = key.slice(0, DEPTH_MAX);
    const path = (isHeader ? key : [...table, ...key]).slice(0, DEPTH_MAX);
    // A dotted key and a header also make the tables on their way.
    for (let length = path.length; length > 0; length -= 1) {
      const name = nameOf(path.slice(0, length));
      if (!lines.has(name)) lines.set(name, line);
    }
    if (isHeader) scan.skipLine();
    else scan.skipValue();
  }
  return (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const line = lines.get(nameOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

function nameOf(path: readonly string[]): string {
  return JSON.stringify(path);
}

const QUOTES = ['"""', "'''", '"', "'"];
const DEEPER: ReadonlyMap<string, number> = new Map([
  ["[", 1],
  ["{", 1],
  ["]", -1],
  ["}", -1],
]);

/** A place in a text, which moves on by the words of TOML. */
class Scan {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #countedTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isOver(): boolean {
    return this.#at >= this.#text.length;
  }

  get peek(): string {
    return this.#text[this.#at] ?? "";
  }

  get line(): number {
    for (; this.#countedTo < this.#at; this.#countedTo += 1) if (this.#text[this.#countedTo] === "\n") this.#line += 1;
    return this.#line;
  }

  /** Spaces, ends of lines, comments. */
  skipBlank(): void {
    for (; !this.isOver; this.#at += 1) {
      if (this.peek === "#") this.skipLine();
      else if (!/\s/.test(this.peek)) return;
    }
  }

  skipBrackets(): void {
    while (this.peek === "[") this.#at += 1;
  }

  /** The parts of a dotted key, up to the sign behind it. */
  takeKey(): readonly string[] {
    const parts: string[] = [];
    while (!this.isOver && !/[=\]\n]/.test(this.peek)) {
      if (/[\s.]/.test(this.peek)) this.#at += 1;
      else if (this.peek === '"' || this.peek === "'") parts.push(unquoted(this.#takeString(this.peek)));
      else parts.push(this.#takeBare());
    }
    return parts;
  }

  /** To the end of a value, which may have several lines. */
  skipValue(): void {
    let depth = 0;
    while (!this.isOver && (this.peek !== "\n" || depth > 0)) {
      const quote = QUOTES.find((each) => this.#text.startsWith(each, this.#at));
      if (quote !== undefined) this.#takeString(quote);
      else if (this.peek === "#") this.skipLine();
      else {
        depth += DEEPER.get(this.peek) ?? 0;
        this.#at += 1;
      }
    }
  }

  /** The end itself stays, because a statement ends with it. */
  skipLine(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #takeBare(): string {
    const from = this.#at;
    while (!this.isOver && !/[\s.=\]]/.test(this.peek)) this.#at += 1;
    return this.#text.slice(from, this.#at);
  }

  #takeString(quote: string): string {
    const from = this.#at;
    this.#at += quote.length;
    while (!this.isOver && !this.#text.startsWith(quote, this.#at))
      this.#at += this.peek === "\\" && quote.startsWith('"') ? 2 : 1;
    this.#at += quote.length;
    // One or two quotes may stand before those that end a string of several lines.
    while (quote.length > 1 && this.#text[this.#at] === quote[0]) this.#at += 1;
    return this.#text.slice(from, this.#at);
  }
}

function unquoted(part: string): string {
  const inner = part.slice(1, -1);
  if (part.startsWith("'")) return inner;
  try {
    return String(JSON.parse(part));
  } catch {
    return inner;
  }
}
