import type { ErrorCode } from "../lib/errors.ts";
import type { Member } from "../protocol/control.ts";
import type { SinkLine } from "../protocol/events.ts";
import type { SinkOutcome, SinkProgress } from "../protocol/progress.ts";
import type { UpMessage } from "../protocol/report.ts";

interface RosterEntry {
  readonly member: Member;
  progress: SinkProgress;
  state: SinkLine["state"];
  heardMs: number;
  outcome: SinkOutcome | undefined;
}

/** The sinks of a running session, as the source knows them, until each has an outcome. Pure. */
export class SinkRoster {
  readonly #sinks = new Map<string, RosterEntry>();

  constructor(members: readonly Member[], nowMs: number) {
    const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };
    for (const member of members)
      this.#sinks.set(member.id, { member, progress, state: "receiving", heardMs: nowMs, outcome: undefined });
  }

  /** Ids of the sinks without an outcome. */
  live(): string[] {
    return [...this.#sinks].filter(([, sink]) => sink.outcome === undefined).map(([id]) => id);
  }

  isLive(sinkId: string): boolean {
    const sink = this.#sinks.get(sinkId);
    return sink !== undefined && sink.outcome === undefined;
  }

  heard(sinkId: string, message: UpMessage, nowMs: number): void {
    const sink = this.#sinks.get(sinkId);
    if (sink === undefined) return;
    sink.heardMs = nowMs;
    if (message.type === "want") return;
    sink.progress = message.progress;
    if (message.type === "report" && sink.outcome === undefined)
      sink.state = message.busy === undefined ? "receiving" : "verifying";
  }

  /** Live sinks that said nothing for `silenceMs`. */
  silent(nowMs: number, silenceMs: number): string[] {
    return this.live().filter((id) => nowMs - (this.#sinks.get(id)?.heardMs ?? 0) > silenceMs);
  }

  proven(sinkId: string, proof: Extract<UpMessage, { type: "proof" }>): SinkOutcome | undefined {
    const { digest, problemCount, problems } = proof;
    return this.#settle(sinkId, {
      outcome: problemCount > 0 ? "incomplete" : "proven",
      digest,
      problemCount,
      problems,
    });
  }

  failed(sinkId: string, code: ErrorCode, message: string): SinkOutcome | undefined {
    return this.#settle(sinkId, { outcome: "failed", code, message, problemCount: 0, problems: [] });
  }

  lines(): SinkLine[] {
    return [...this.#sinks.values()].map((sink) => ({
      name: sink.member.name,
      state: sink.state,
      progress: sink.progress,
    }));
  }

  outcomes(): SinkOutcome[] {
    return [...this.#sinks.values()].flatMap((sink) => (sink.outcome === undefined ? [] : [sink.outcome]));
  }

  #settle(
    sinkId: string,
    result: Pick<SinkOutcome, "outcome" | "problemCount" | "problems"> & Partial<SinkOutcome>,
  ): SinkOutcome | undefined {
    const sink = this.#sinks.get(sinkId);
    if (sink === undefined || sink.outcome !== undefined) return undefined;
    const { filesDone, bytesDone } = sink.progress;
    const nothing = { filesUnchanged: 0, bytesUnchanged: 0, caughtUp: false };
    sink.outcome = { sinkId, name: sink.member.name, filesDone, bytesDone, ...nothing, ...result };
    sink.state = result.outcome;
    return sink.outcome;
  }
}
