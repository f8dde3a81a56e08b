import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { IGNORE_FILE_BYTES_MAX, IGNORE_RULES_MAX } from "../../protocol/limits.ts";
import { type FilterGroup, parseRules } from "../../protocol/names/filter.ts";
import { type FileToRead, openToRead } from "../disk/open-to-read.ts";

/** Patterns for what is in the same directory, and below (docs/filters.md). */
export const IGNORE_FILE = ".fanfoldignore";

/**
 * The rules in the file at `path`; undefined when it is gone.
 *
 * @throws FanfoldError `usage` when there are some that cannot be used, as a clause
 */
export function readIgnoreFile(path: Buffer): FilterGroup | undefined {
  let content: Buffer | undefined;
  try {
    content = contentOf(path);
  } catch (thrown) {
    if (thrown instanceof FanfoldError) throw thrown;
    const words = systemCode(thrown) === "ELOOP" ? "it is a symbolic link" : `it cannot be read: ${reasonOf(thrown)}`;
    throw new FanfoldError("usage", words, { cause: thrown });
  }
  return content === undefined ? undefined : parseRules(content, "it", IGNORE_RULES_MAX);
}

function contentOf(path: Buffer): Buffer | undefined {
  let file: FileToRead;
  try {
    file = openToRead(path);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  using opened = file;
  if (!opened.isRegular()) throw new FanfoldError("usage", "it is not a regular file");
  const content = opened.beginning(IGNORE_FILE_BYTES_MAX + 1);
  if (content.length > IGNORE_FILE_BYTES_MAX)
    throw new FanfoldError("usage", `it has more than ${IGNORE_FILE_BYTES_MAX} bytes`);
  return content;
}
