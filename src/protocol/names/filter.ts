import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { FILTER_BYTES_MAX, FILTER_RULES_MAX } from "../limits.ts";
import { charactersOf, splitAt } from "./characters.ts";
import { type Effort, matches, type Pattern, parsePattern } from "./pattern.ts";

/** Which entries of a tree are left out (docs/filters.md). Pure; names are bytes. */
export interface FilterRule {
  readonly isExclude: boolean;
  readonly pattern: Pattern;
}

/** Rules that stand together: of those that match, the last one decides. Plain data, to be sent to a thread. */
export interface FilterGroup {
  readonly rules: readonly FilterRule[];
}

/** What a directory itself says of what is in it. */
interface DirectoryRules extends FilterGroup {
  readonly directory: Uint8Array;
  /** Components of its path. */
  readonly depth: number;
  readonly bytes: number;
}

const SLASH = 0x2f;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const HASH = 0x23;
const EXCLAMATION = 0x21;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Says which entries of a tree are left out. It is asked directory by directory, each one before what is in it. The
 * groups that were given come first: the first one that says anything decides. Then come the rules of the directories
 * that an entry is in, the innermost first. Both ends of a session use it.
 */
export class TreeFilter {
  readonly #groups: readonly FilterGroup[];
  readonly #effort: Effort;
  /** Of the directories that what is looked at now is in, the outermost first. */
  #inside: readonly DirectoryRules[] = [];

  /** @param effort what all of it together may cost; as much as it takes when absent */
  constructor(groups: readonly FilterGroup[], effort: Effort = { left: Number.POSITIVE_INFINITY }) {
    this.#groups = groups;
    this.#effort = effort;
  }

  /** Whether nothing in the present directory can be left out: there are no rules. */
  get isEmpty(): boolean {
    return this.#groups.length === 0 && this.#inside.length === 0;
  }

  /**
   * The entries of this directory come next: rules of directories that it is not in are forgotten.
   *
   * @param own rules that stand in it
   * @throws FanfoldError `usage` when there are more than are held at a time
   */
  enter(directory: Uint8Array, own?: FilterGroup): void {
    this.#inside = this.#inside.filter((rules) => isIn(directory, rules.directory));
    if (own === undefined || own.rules.length === 0) return;
    const depth = directory.length === 0 ? 0 : splitAt([...directory], SLASH).length;
    const bytes = own.rules.reduce((sum, { pattern }) => sum + pattern.bytes.length, 0);
    const inside = [...this.#inside, { directory: new Uint8Array(directory), depth, bytes, rules: own.rules }];
    const count = inside.reduce((sum, { rules }) => sum + rules.length, 0);
    if (count > FILTER_RULES_MAX || inside.reduce((sum, rules) => sum + rules.bytes, 0) > FILTER_BYTES_MAX)
      throw new FanfoldError("usage", `more than ${FILTER_RULES_MAX} patterns in it and the directories around it`);
    this.#inside = inside;
  }

  /** Whether this entry, and with a directory all that is in it, is left out. `path` is relative to the root. */
  excludes(path: Uint8Array, isDirectory: boolean): boolean {
    if (this.#groups.length === 0 && this.#inside.length === 0) return false;
    const names = splitAt(charactersOf(path), SLASH);
    for (const { rules } of this.#groups) {
      const rule = this.#last(rules, names, isDirectory);
      if (rule !== undefined) return rule.isExclude;
    }
    for (const { rules, depth } of this.#inside.toReversed()) {
      const rule = this.#last(rules, depth === 0 ? names : names.slice(depth), isDirectory);
      if (rule !== undefined) return rule.isExclude;
    }
    return false;
  }

  #last(rules: readonly FilterRule[], names: readonly (readonly number[])[], isDirectory: boolean) {
    return rules.findLast(({ pattern }) => matches(pattern, names, isDirectory, this.#effort));
  }
}

/** Whether a directory is `outer`, or below it. */
function isIn(directory: Uint8Array, outer: Uint8Array): boolean {
  if (outer.length === 0) return true;
  if (directory.length > outer.length && directory[outer.length] !== SLASH) return false;
  return directory.length >= outer.length && Buffer.compare(directory.subarray(0, outer.length), outer) === 0;
}

/**
 * Reads a single rule, as `--exclude` and `--include` take it.
 *
 * @throws FanfoldError `usage`
 */
export function parseRule(option: "--exclude" | "--include", given: string | Uint8Array): FilterGroup {
  const pattern = Buffer.from(given);
  if (pattern[0] === EXCLAMATION) {
    throw new FanfoldError(
      "usage",
      `cannot read ${option} "${escapeName(pattern)}": "!" has a meaning only in a file; write --include or --exclude here, or \\! for the character itself`,
    );
  }
  const rule = { isExclude: option === "--exclude", pattern: parsePattern(pattern, option) };
  return { rules: [rule] };
}

/**
 * Reads the lines of a file of patterns, as `--exclude-from` takes it, and as it may stand in a directory. There is one
 * pattern a line. Empty lines and those that begin with `#` say nothing. `!` in front includes again what an earlier
 * line excluded.
 *
 * @param file what it is called in messages
 * @throws FanfoldError `usage`
 */
export function parseRules(content: Uint8Array, file: string, rulesMax = FILTER_RULES_MAX): FilterGroup {
  const rules: FilterRule[] = [];
  let start = BYTE_ORDER_MARK.equals(content.subarray(0, 3)) ? 3 : 0;
  for (let number = 1; start < content.length; number += 1) {
    const found = content.indexOf(LINE_FEED, start);
    const end = found === -1 ? content.length : found;
    const line = trimmed(content.subarray(start, end));
    start = end + 1;
    if (line.length === 0 || line[0] === HASH) continue;
    const isExclude = line[0] !== EXCLAMATION;
    const where = `line ${number} of ${file},`;
    rules.push({ isExclude, pattern: parsePattern(isExclude ? line : line.subarray(1), where) });
    if (rules.length > rulesMax) throw new FanfoldError("usage", `cannot read ${file}: more than ${rulesMax} patterns`);
  }
  return { rules };
}

/** Without a carriage return and spaces at its end, unless a backslash quotes the space. */
function trimmed(line: Uint8Array): Uint8Array {
  const whole = line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  let end = 0;
  for (let at = 0; at < whole.length; at += 1) {
    if (whole[at] === BACKSLASH) at += 1;
    else if (whole[at] === SPACE) continue;
    end = at + 1;
  }
  return whole.subarray(0, Math.min(end, whole.length));
}
