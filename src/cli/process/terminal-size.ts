import type { Output } from "./program-io.ts";

const COLUMNS_USUAL = 80;
const ROWS_USUAL = 24;

/**
 * Columns of a terminal, and of the text that is made for one. A terminal that nobody looks at has no size (a container
 * with a terminal and no client). Then it is drawn for the usual size.
 */
export function columnsOf({ columns }: Pick<Output, "columns">): number {
  return isKnown(columns) ? columns : COLUMNS_USUAL;
}

/** Rows of a terminal; the usual number when it has none. */
export function rowsOf({ rows }: Pick<Output, "rows">): number {
  return isKnown(rows) ? rows : ROWS_USUAL;
}

function isKnown(count: number | undefined): count is number {
  return count !== undefined && Number.isInteger(count) && count > 0;
}
