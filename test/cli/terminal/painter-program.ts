/** Draws a line on standard output, taken for a terminal, until it is ended. */
import { ScreenPainter } from "../../../src/cli/terminal/screen-painter.ts";
import { systemClock } from "../../../src/lib/clock.ts";

const output = { isTTY: true, columns: 80, rows: 24, write: (text: string) => process.stdout.write(text) };
const draw = () => ({ kind: "lines" as const, lines: ["drawn"] });
const painter = new ScreenPainter({ output, clock: systemClock, colour: false, unicode: true, draw });
// The painter's own timer keeps no process alive.
await new Promise((resolve) => setTimeout(resolve, 60_000));
painter.close();
