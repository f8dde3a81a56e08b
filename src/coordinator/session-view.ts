import type { SessionView, SinkLine } from "../protocol/events.ts";
import type { CopyProgress, SessionSummary, SinkProgress } from "../protocol/progress.ts";
import type { UpMessage } from "../protocol/report.ts";
import { type RunningSession, registeredSinks, type SeriesState, sourceOf } from "./series.ts";

/** What the coordinator shows of a session. Pure: values in, values out. */

const NOTHING_YET: SinkProgress = { filesDone: 0, bytesDone: 0, currentFile: "" };

/** The session of a series that waits. */
export function waitingView(state: SeriesState): SessionView | undefined {
  if (state.waiting === undefined) return undefined;
  const source = sourceOf(state);
  const ours = source?.sessionId === state.waiting.id ? source : undefined;
  const sinks = registeredSinks(state).map(
    (sink): SinkLine => ({ name: sink.name, state: "registered", progress: NOTHING_YET }),
  );
  const view: SessionView = { session: state.name, sessionId: state.waiting.id, state: "waiting", sinks };
  return ours === undefined ? view : { ...view, source: ours.name, needed: ours.needed };
}

/** A session that runs: its view, and whose line of it is whose. */
export interface RunningView {
  readonly view: SessionView;
  readonly epoch: number;
  readonly sinkIds: readonly string[];
}

export function runningView(name: string, session: RunningSession): RunningView {
  const sinks = session.sinks.map((sink): SinkLine => ({ name: sink.name, state: "receiving", progress: NOTHING_YET }));
  const view: SessionView = {
    session: name,
    sessionId: session.id,
    state: "running",
    source: session.source.name,
    needed: sinks.length,
    sinks,
  };
  return { view, epoch: session.epoch, sinkIds: session.sinks.map((sink) => sink.id) };
}

export function withProgress(running: RunningView, progress: CopyProgress): RunningView {
  return { ...running, view: { ...running.view, progress } };
}

/** What a sink says of itself; undefined when it changes nothing that is shown. */
export function withReport(running: RunningView, sinkId: string, message: UpMessage): RunningView | undefined {
  if (message.type === "want") return undefined;
  return withLine(running, sinkId, (line) => ({ ...line, state: stateOf(message, line), progress: message.progress }));
}

export function withLoss(running: RunningView, sinkId: string): RunningView | undefined {
  return withLine(running, sinkId, (line) => ({ ...line, state: "failed" }));
}

export function endedView(running: RunningView, summary: SessionSummary | undefined): SessionView {
  const sinks = running.view.sinks.map((line, index): SinkLine => {
    const outcome = summary?.sinks.find((each) => each.sinkId === running.sinkIds[index]);
    if (outcome === undefined) return { ...line, state: "failed" };
    return {
      ...line,
      state: outcome.outcome,
      progress: { ...line.progress, filesDone: outcome.filesDone, bytesDone: outcome.bytesDone },
    };
  });
  return { ...running.view, state: "ended", sinks };
}

function stateOf(message: Exclude<UpMessage, { type: "want" }>, line: SinkLine): SinkLine["state"] {
  // Only the source's summary says that a copy is proven.
  if (message.type === "proof") return "verifying";
  if (message.type === "failed") return "failed";
  if (line.state === "failed" || (line.state === "verifying" && message.busy === undefined)) return line.state;
  return message.busy === "verifying" || message.busy === "syncing" ? "verifying" : "receiving";
}

function withLine(running: RunningView, sinkId: string, change: (line: SinkLine) => SinkLine): RunningView | undefined {
  const index = running.sinkIds.indexOf(sinkId);
  if (index < 0) return undefined;
  const sinks = running.view.sinks.map((line, at) => (at === index ? change(line) : line));
  return { ...running, view: { ...running.view, sinks } };
}
