import { sameLimit } from "../../protocol/bandwidth/applied-limit.ts";
import { STREAM_DATA } from "../../protocol/frame/frame.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { Member, Seal } from "../../protocol/messages/control.ts";
import type { CopyProgress, SessionSummary, SinkProgress, SinkStanding } from "../../protocol/messages/progress.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { missingOf } from "../../protocol/names/expected-names.ts";
import { recipientsOf } from "../../protocol/seal/wrapped-secret.ts";
import {
  type RunningSession,
  registeredSinks,
  type SessionSlot,
  type SlotMember,
  sourceOf,
} from "../session/session-slot.ts";

/** What the coordinator shows of a session. Pure: values in, values out. */

const NOTHING_YET: SinkProgress = { filesDone: 0, bytesDone: 0, currentFile: "" };

/** What a sink says of its machine. */
export type SinkFacts = Pick<SinkLine, "software" | "freeBytes" | "sizeBytes">;
export type FactsOf = (memberId: string) => SinkFacts;

/** The session of a slot that waits. */
export function waitingView(state: SessionSlot, factsOf: FactsOf = nothingKnown): SessionView | undefined {
  if (state.waiting === undefined) return undefined;
  const source = sourceOf(state);
  const ours = source?.sessionId === state.waiting.id ? source : undefined;
  const sinks = registeredSinks(state).map(
    (sink): SinkLine => ({
      ...{ name: sink.name, state: "registered", progress: NOTHING_YET },
      ...factsOf(sink.id),
      ...limitField(sink),
    }),
  );
  const { id: sessionId, epoch } = state.waiting;
  const view: SessionView = { session: state.name, sessionId, epoch, state: "waiting", sinks };
  if (ours === undefined) return view;
  const missing = missingOf(ours.expected, sinks);
  const names = missing.length === 0 ? {} : { missing };
  return { ...view, source: ours.name, ...directoryField(ours), needed: ours.needed, ...names, ...limitField(ours) };
}

function directoryField({ directory }: Pick<RunningSession, "directory">): Pick<SessionView, "directory"> {
  return directory === undefined ? {} : { directory };
}

function limitField(member: SlotMember | undefined): Pick<SinkLine, "limit"> {
  return member?.limit === undefined ? {} : { limit: member.limit };
}

export function sameLimits(one: SessionView, other: SessionView): boolean {
  return (
    sameLimit(one.limit, other.limit) &&
    one.sinks.every((line, index) => sameLimit(line.limit, other.sinks[index]?.limit))
  );
}

/** With what each member says that it holds itself to. */
export function withLimits(running: RunningView, state: SessionSlot): RunningView {
  const { limit: _, ...view } = running.view;
  const byId = new Map(state.members.map((member) => [member.id, member]));
  const sinks = view.sinks.map(({ limit: __, ...line }, index): SinkLine => {
    return { ...line, ...limitField(byId.get(running.sinkIds[index] ?? "")) };
  });
  return { ...running, view: { ...view, sinks, ...limitField(sourceOf(state)) } };
}

/** A session that runs: its view, and whose line of it is whose. */
export interface RunningView {
  readonly view: SessionView;
  readonly epoch: number;
  readonly sinkIds: readonly string[];
}

export function runningView(name: string, session: RunningSession, dryRun = false): RunningView {
  const state = dryRun ? "comparing" : "receiving";
  const sinks = session.sinks.map((sink): SinkLine => ({ ...lineOf(sink), state }));
  const view: SessionView = {
    session: name,
    sessionId: session.id,
    epoch: session.epoch,
    state: "running",
    source: session.source.name,
    ...directoryField(session),
    needed: sinks.length,
    sinks,
  };
  return { view, epoch: session.epoch, sinkIds: session.sinks.map((sink) => sink.id) };
}

/** A session that the coordinator finds when it is back: everybody is away. */
export function restoredView(name: string, session: RunningSession): RunningView {
  const { view, ...rest } = runningView(name, session);
  const sinks = view.sinks.map((line): SinkLine => ({ ...line, state: "away" }));
  return { ...rest, view: { ...view, state: "paused", sinks } };
}

/** Whether what is sent is encrypted, and for whom. */
export function withSeal(running: RunningView, seal: Seal | undefined): RunningView {
  const recipients = seal?.by === "recipients" ? { recipients: recipientsOf(seal) } : {};
  return { ...running, view: { ...running.view, sealed: seal !== undefined, ...recipients } };
}

/** What the source says of a sink. One that is away for the coordinator, too, stays so. */
export function withStanding(running: RunningView, { sinkId, state, filesDone, bytesDone }: SinkStanding): RunningView {
  const progress = { filesDone, bytesDone, currentFile: "" };
  return withLine(running, sinkId, (line) => ({ ...line, state, progress })) ?? running;
}

export function withProgress(running: RunningView, progress: CopyProgress): RunningView {
  return { ...running, view: { ...running.view, progress } };
}

/** What a sink says of itself, on the stream that serves it. Undefined when it changes nothing that is shown. */
export function withReport(
  running: RunningView,
  sinkId: string,
  { message, stream }: { readonly message: UpMessage; readonly stream: number },
): RunningView | undefined {
  if (message.type === "want" || message.type === "lacks") return undefined;
  const { progress } = message;
  return withLine(running, sinkId, (line) => ({ ...line, state: stateOf(message, stream, line), progress }));
}

/** A sink that went, and may come back. */
export function withLoss(running: RunningView, sinkId: string): RunningView | undefined {
  return withLine(running, sinkId, (line) => ({ ...line, state: "away" }));
}

/** A sink that goes on where it was. */
export function withReturn(running: RunningView, sinkId: string): RunningView | undefined {
  return withLine(running, sinkId, (line) => ({ ...line, state: "receiving" }));
}

/** What a sink says of its machine. */
export function withFacts(running: RunningView, sinkId: string, facts: SinkFacts): RunningView | undefined {
  return withLine(running, sinkId, (line) => ({ ...line, ...facts }));
}

/** A sink that takes part from now on, or begins anew. */
export function withJoined(running: RunningView, sink: Pick<Member, "id" | "name">): RunningView {
  // It is served on a lane [P-9.3].
  const fresh: SinkLine = { ...lineOf(sink), state: "detached" };
  const known = withLine(running, sink.id, () => fresh);
  if (known !== undefined) return known;
  const { view, sinkIds } = running;
  const sinks = [...view.sinks, fresh];
  return { ...running, view: { ...view, needed: sinks.length, sinks }, sinkIds: [...sinkIds, sink.id] };
}

/** Whether the source is there, or everyone waits for it to come back. */
export function withSource(running: RunningView, here: boolean): RunningView | undefined {
  const state = here ? "running" : "paused";
  return running.view.state === state ? undefined : { ...running, view: { ...running.view, state } };
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

function nothingKnown(): SinkFacts {
  return {};
}

function lineOf({ name }: Pick<Member, "name">): SinkLine {
  return { name, state: "receiving", progress: NOTHING_YET };
}

function stateOf(
  message: Exclude<UpMessage, { type: "want" | "lacks" }>,
  stream: number,
  line: SinkLine,
): SinkLine["state"] {
  // Only the source's summary says that a copy is proven.
  if (message.type === "proof") return "verifying";
  if (message.type === "failed") return "failed";
  if (message.type === "outlook") return line.state;
  // Reports of one that went may still be under way. One that cannot reach the coordinator may well go on.
  if (line.state === "failed" || line.state === "away" || (line.state === "verifying" && message.busy === undefined))
    return line.state;
  // As the source shows it: on a lane it is that, whatever it does there.
  if (stream !== STREAM_DATA) return "detached";
  if (message.busy !== undefined && message.busy !== "hashing") return "verifying";
  return line.state === "comparing" ? "comparing" : "receiving";
}

function withLine(running: RunningView, sinkId: string, change: (line: SinkLine) => SinkLine): RunningView | undefined {
  const index = running.sinkIds.indexOf(sinkId);
  if (index < 0) return undefined;
  const sinks = running.view.sinks.map((line, at) => (at === index ? change(line) : line));
  return { ...running, view: { ...running.view, sinks } };
}
