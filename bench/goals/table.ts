import { markdownTable } from "../report.ts";
import { type Figure, type Reports, readFigure } from "./figures.ts";
import type { Goal } from "./goals.ts";

/** One row: a figure, or why there is none. */
export interface GoalRow {
  readonly what: string;
  readonly now: number | string;
  readonly goal: number | undefined;
  readonly unit: string;
  /** Behind the point. */
  readonly digits: number;
}

const UNITS: Readonly<Record<Figure["kind"], string>> = {
  wall: "",
  speed: "%",
  cpu: "",
  "cpu seconds": "s",
  "first byte": "s",
  peak: "MiB",
};

export function goalRows(goals: readonly Goal[], reports: Reports): GoalRow[] {
  return goals.map(({ what, figure, goal, digits = 2 }) => {
    return { what, now: readFigure(figure, reports), goal, unit: UNITS[figure.kind], digits };
  });
}

/** For people, in Markdown. */
export function goalTable(rows: readonly GoalRow[]): string {
  const cells = rows.map(({ what, now, goal, unit, digits }) => {
    const shown = (number: number): string => `${number.toFixed(digits)} ${unit}`.trim();
    return [what, typeof now === "number" ? shown(now) : `missing: ${now}`, goal === undefined ? "" : shown(goal)];
  });
  return markdownTable(["what", "now", "goal"], cells);
}
