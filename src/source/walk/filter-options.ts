import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { FILTER_BYTES_MAX, FILTER_RULES_MAX } from "../../protocol/limits.ts";
import { type FilterGroup, parseRule, parseRules } from "../../protocol/names/filter.ts";
import { readNamedFile } from "../disk/open-to-read.ts";

/** One option of a filter, in the order in which they count: the first that says anything of an entry decides. */
export type FilterOption =
  | { readonly exclude: string | Uint8Array }
  | { readonly include: string | Uint8Array }
  /** Path of a file with patterns. */
  | { readonly excludeFrom: FilePath };

/**
 * Groups without a pattern, as an empty file gives them, say nothing and are left out.
 *
 * @throws FanfoldError `usage` for a pattern that is not understood, too many of them, or a file that cannot be read
 */
export function readFilters(options: readonly FilterOption[]): FilterGroup[] {
  const groups = options.map((option) => {
    if ("exclude" in option) return parseRule("--exclude", option.exclude);
    if ("include" in option) return parseRule("--include", option.include);
    return parseRules(readPatterns(option.excludeFrom), `--exclude-from "${shownPath(option.excludeFrom)}"`);
  });
  const rules = groups.flatMap((group) => group.rules);
  if (
    rules.length > FILTER_RULES_MAX ||
    rules.reduce((sum, rule) => sum + rule.pattern.bytes.length, 0) > FILTER_BYTES_MAX
  )
    throw new FanfoldError(
      "usage",
      `cannot read the filters: more than ${FILTER_RULES_MAX} patterns or ${FILTER_BYTES_MAX} bytes in all`,
    );
  return groups.filter((group) => group.rules.length > 0);
}

function readPatterns(given: FilePath): Buffer {
  const file = pathBytes(given);
  try {
    return readNamedFile(file, FILTER_BYTES_MAX);
  } catch (thrown) {
    throw new FanfoldError("usage", `cannot read --exclude-from "${shownPath(file)}": ${reasonOf(thrown)}`, {
      cause: thrown,
    });
  }
}
