import { readFileSync, statSync } from "node:fs";
import { FanfoldError } from "../lib/errors.ts";
import { escapeText } from "../lib/escape-name.ts";
import { type FilterGroup, parseRule, parseRules } from "../protocol/filter.ts";

/** One option of a filter, in the order in which they count: the first that says anything of an entry decides. */
export type FilterOption =
  | { readonly exclude: string }
  | { readonly include: string }
  /** Path of a file with patterns. */
  | { readonly excludeFrom: string };

const FILE_BYTES_MAX = 1024 * 1024;

/** @throws FanfoldError `usage` for a pattern that is not understood, or a file that cannot be read */
export function readFilters(options: readonly FilterOption[]): FilterGroup[] {
  return options.map((option) => {
    if ("exclude" in option) return parseRule("--exclude", option.exclude);
    if ("include" in option) return parseRule("--include", option.include);
    return parseRules(readPatterns(option.excludeFrom), escapeText(option.excludeFrom));
  });
}

function readPatterns(file: string): Buffer {
  try {
    const { size } = statSync(file);
    if (size > FILE_BYTES_MAX) throw new Error(`${size} bytes, want at most ${FILE_BYTES_MAX}`);
    return readFileSync(file);
  } catch (thrown) {
    const { message } = FanfoldError.from(thrown);
    throw new FanfoldError("usage", `Read --exclude-from "${escapeText(file)}": ${message}`, { cause: thrown });
  }
}
