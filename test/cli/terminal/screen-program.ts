/** Shows a copy to twenty sinks as a source does, on the terminal that it runs on, until it is ended. */
import { TerminalPresenter } from "../../../src/cli/terminal/terminal-presenter.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { createStyle } from "../../../src/cli/view/text/style.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { SinkLine } from "../../../src/protocol/messages/sink-line.ts";
import { sampleProgress, sampleSink } from "./sample-events.ts";

const { stdout, stderr } = process;
const presenter = new TerminalPresenter(sourceView, {
  io: { stdout, stderr, env: {}, clock: systemClock },
  mode: { kind: "terminal", verbose: false, colour: true },
  style: createStyle({ colour: true, unicode: true }),
});
// The higher its number, the further a sink is; two are in trouble.
const sinks: readonly SinkLine[] = Array.from({ length: 20 }, (_, index) =>
  sampleSink(`vm-${index}`, {
    ...(index === 17 ? { state: "away" } : index === 18 ? { state: "failed" } : {}),
    progress: sampleProgress({ bytesDone: 2 ** 20 * (index + 1) }),
  }),
);
presenter.take({ type: "started", sinks: sinks.map(({ name }) => name) });
presenter.take({ type: "progress", progress: sampleProgress(), sinks });
// The painter's own timer keeps no process alive.
await new Promise((resolve) => setTimeout(resolve, 600_000));
presenter.close();
