import { FanfoldError } from "../lib/errors.ts";
import { charactersOf, splitAt } from "./characters.ts";
import { matches, type Pattern, parsePattern } from "./pattern.ts";

/** Which entries of a tree are left out (docs/filters.md). Pure; names are bytes. */
export interface Filter {
  /** Whether this entry, and with a directory all that is in it, is left out. `path` is relative to the root. */
  excludes(path: Uint8Array, isDirectory: boolean): boolean;
}

interface FilterRule {
  readonly isExclude: boolean;
  readonly pattern: Pattern;
}

/** Rules that stand together: of those that match, the last one decides. Plain data, to be sent to a thread. */
export interface FilterGroup {
  readonly rules: readonly FilterRule[];
}

/** Rules of one file: more would take seconds for each thousand entries. */
export const FILTER_RULES_MAX = 10_000;
const SLASH = 0x2f;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const HASH = 0x23;
const EXCLAMATION = 0x21;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Filter of these groups: the first one that says anything of an entry decides. Undefined when there are none. */
export function createFilter(groups: readonly FilterGroup[]): Filter | undefined {
  if (groups.length === 0) return undefined;
  return {
    excludes: (path, isDirectory) => {
      const names = splitAt(charactersOf(path), SLASH);
      for (const { rules } of groups) {
        const rule = rules.findLast(({ pattern }) => matches(pattern, names, isDirectory));
        if (rule !== undefined) return rule.isExclude;
      }
      return false;
    },
  };
}

/**
 * Reads a single rule, as `--exclude` and `--include` take it.
 *
 * @throws FanfoldError `usage`
 */
export function parseRule(option: "--exclude" | "--include", pattern: string): FilterGroup {
  if (pattern.startsWith("!")) {
    throw new FanfoldError(
      "usage",
      `Read ${option} "${pattern}": "!" turns a line of a file round; here, write --include or --exclude, or \\! for the character itself`,
    );
  }
  const rule = { isExclude: option === "--exclude", pattern: parsePattern(Buffer.from(pattern), option) };
  return { rules: [rule] };
}

/**
 * Reads the lines of a file of patterns, as `--exclude-from` takes it: one pattern a line; empty lines and those that
 * begin with `#` say nothing; `!` in front includes again what an earlier line excluded.
 *
 * @throws FanfoldError `usage`
 */
export function parseRules(content: Uint8Array, file: string): FilterGroup {
  const rules: FilterRule[] = [];
  let start = BYTE_ORDER_MARK.equals(content.subarray(0, 3)) ? 3 : 0;
  for (let number = 1; start < content.length; number += 1) {
    const found = content.indexOf(LINE_FEED, start);
    const end = found === -1 ? content.length : found;
    const line = trimmed(content.subarray(start, end));
    start = end + 1;
    if (line.length === 0 || line[0] === HASH) continue;
    const isExclude = line[0] !== EXCLAMATION;
    const where = `line ${number} of --exclude-from "${file}",`;
    rules.push({ isExclude, pattern: parsePattern(isExclude ? line : line.subarray(1), where) });
    if (rules.length > FILTER_RULES_MAX)
      throw new FanfoldError("usage", `Read --exclude-from "${file}": more than ${FILTER_RULES_MAX} patterns`);
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
