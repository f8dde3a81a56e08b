import cliProgress from "cli-progress";
import { clampFraction } from "../../../words/format.ts";
import type { Style } from "./style.ts";

/** A bar of exactly `columns` characters. */
export function drawBar(fraction: number, columns: number, style: Style): string {
  if (columns < 1) return "";
  // Full only when everything is done: the last cell waits for it.
  const shown = fraction >= 1 ? 1 : Math.min(clampFraction(fraction), (columns - 0.51) / columns);
  const glue = "\0";
  const drawn = cliProgress.Format.BarFormat(shown, {
    barsize: columns,
    barGlue: glue,
    barCompleteString: style.barDone.repeat(columns),
    barIncompleteString: style.barLeft.repeat(columns),
  });
  const [done = "", left = ""] = drawn.split(glue);
  return (fraction >= 1 ? style.good(done) : style.accent(done)) + style.quiet(left);
}

/** How long the moving block of an open bar takes from one end to the other. */
const SWEEP_MS = 2000;

/** A bar whose end is not known yet: a block that moves as time goes. */
export function drawOpenBar(elapsedMs: number, columns: number, style: Style): string {
  if (columns < 3) return style.quiet(style.barLeft.repeat(Math.max(0, columns)));
  const block = Math.max(1, Math.floor(columns / 6));
  const turn = (Math.max(0, elapsedMs) % (2 * SWEEP_MS)) / SWEEP_MS;
  const at = Math.round((turn <= 1 ? turn : 2 - turn) * (columns - block));
  return (
    style.quiet(style.barLeft.repeat(at)) +
    style.accent(style.barDone.repeat(block)) +
    style.quiet(style.barLeft.repeat(columns - block - at))
  );
}
