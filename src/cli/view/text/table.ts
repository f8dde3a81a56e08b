import { stringWidth } from "./fit.ts";

/** Rows in columns of the width that they need. The last column is not filled. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, stringWidth(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell + " ".repeat((widths[index] ?? 0) - stringWidth(cell)))
      .join("  ")
      .trimEnd(),
  );
}
