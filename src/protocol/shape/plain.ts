import { isDateTime } from "./date-time.ts";
import { ShapeFault } from "./fault.ts";
import { Shape } from "./shape.ts";

interface TextRules {
  readonly charsMin?: number;
  readonly charsMax?: number;
  readonly pattern?: RegExp;
  /** What the pattern asks for, for people. */
  readonly wanted?: string;
  /** ISO 8601 in UTC. */
  readonly isDateTime?: boolean;
  /** Why a text is not taken; undefined when it is. */
  readonly judge?: (text: string) => string | undefined;
}

export class TextShape extends Shape<string> {
  readonly rules: TextRules;

  constructor(rules: TextRules = {}) {
    super();
    this.rules = rules;
  }

  min(charsMin: number): TextShape {
    return new TextShape({ ...this.rules, charsMin });
  }

  max(charsMax: number): TextShape {
    return new TextShape({ ...this.rules, charsMax });
  }

  regex(pattern: RegExp, wanted = `want a text that matches ${pattern}`): TextShape {
    return new TextShape({ ...this.rules, pattern, wanted });
  }

  dateTime(): TextShape {
    return new TextShape({ ...this.rules, isDateTime: true });
  }

  check(judge: (text: string) => string | undefined): TextShape {
    return new TextShape({ ...this.rules, judge });
  }

  read(value: unknown): string | ShapeFault {
    if (typeof value !== "string") return new ShapeFault("want a text");
    const { charsMin = 0, charsMax = value.length, pattern, wanted = "", isDateTime: isTime = false } = this.rules;
    if (value.length < charsMin) return new ShapeFault(`want at least ${charsMin} characters`);
    if (value.length > charsMax) return new ShapeFault(`want at most ${charsMax} characters`);
    if (pattern?.test(value) === false) return new ShapeFault(wanted);
    if (isTime && !isDateTime(value)) return new ShapeFault("want a time as ISO 8601 has it, in UTC");
    const refused = this.rules.judge?.(value);
    return refused === undefined ? value : new ShapeFault(refused);
  }
}

interface NumberRules {
  readonly isWhole: boolean;
  readonly min?: number;
  readonly max?: number;
}

export class NumberShape extends Shape<number> {
  readonly rules: NumberRules;

  constructor(rules: NumberRules) {
    super();
    this.rules = rules;
  }

  min(min: number): NumberShape {
    return new NumberShape({ ...this.rules, min });
  }

  max(max: number): NumberShape {
    return new NumberShape({ ...this.rules, max });
  }

  nonnegative(): NumberShape {
    return this.min(0);
  }

  read(value: unknown): number | ShapeFault {
    if (typeof value !== "number" || !Number.isFinite(value)) return new ShapeFault("want a number");
    const { isWhole, min = value, max = value } = this.rules;
    if (isWhole && !Number.isSafeInteger(value)) return new ShapeFault("want a whole number of at most 2^53 - 1");
    if (value < min) return new ShapeFault(`want at least ${min}`);
    if (value > max) return new ShapeFault(`want at most ${max}`);
    return value;
  }
}

export class FlagShape extends Shape<boolean> {
  read(value: unknown): boolean | ShapeFault {
    return typeof value === "boolean" ? value : new ShapeFault("want true or false");
  }
}

/** One of some words. */
export class WordShape<Word extends string> extends Shape<Word> {
  readonly words: readonly Word[];

  constructor(words: readonly Word[]) {
    super();
    this.words = words;
  }

  read(value: unknown): Word | ShapeFault {
    const found = this.words.find((word) => word === value);
    return found ?? new ShapeFault(`want ${this.words.map((word) => `"${word}"`).join(" or ")}`);
  }
}

/** Anything: whoever has it looks into it. */
export class UnknownShape extends Shape<unknown> {
  read(value: unknown): unknown {
    return value;
  }
}
