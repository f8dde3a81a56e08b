import type { ErrorCode } from "../../lib/errors.ts";
import type { AppliedLimit } from "../../protocol/bandwidth/applied-limit.ts";
import { STREAM_DATA } from "../../protocol/frame/frame.ts";
import type { SinkReport, UpMessage } from "../../protocol/frame/report.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { ReceivingState } from "../../protocol/messages/events.ts";
import type { Pace } from "../../protocol/messages/held-back.ts";
import type { SinkOutcome, SinkProgress, SinkStanding } from "../../protocol/messages/progress.ts";
import type { SinkLine } from "../../protocol/messages/sink-line.ts";
import { outcomeOfProof } from "../../protocol/messages/whole-copy.ts";
import type { Amount, WantedAmount } from "../publish/want-sum.ts";

/** Why a sink is not there: as its outcome tells it when it stays away. */
export interface Absence {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly sinceMs: number;
}

interface RosterEntry {
  readonly member: Member;
  progress: SinkProgress;
  state: ReceivingState | SinkOutcome["outcome"];
  /** It said last that it hashes files it has: its answers to pages take long for that. */
  hashing: boolean;
  heardMs: number;
  /** When it last said something that it had not said before. */
  movedMs: number;
  /** Up to which frame it has stored, as it said last. */
  storedUpTo: number;
  /** How far it hashes, as it said last. */
  steps: number | undefined;
  /** The last page of which it said what it wants. */
  wantedPage: number;
  /** To what it holds itself. */
  limit: AppliedLimit | undefined;
  pace: Pace | undefined;
  /** The stream it is served on; undefined while it is away and nothing is published for it. */
  stream: number | undefined;
  /** Number of the last lane opened for it; 0 before the first. */
  lane: number;
  lagging: boolean;
  /** The coordinator said that it is gone. It may still be heard, when only its control connection broke. */
  left: Absence | undefined;
  away: Absence | undefined;
  outcome: SinkOutcome | undefined;
}

const NO_PAGE = -1;
const NOTHING_YET: SinkProgress = { filesDone: 0, bytesDone: 0, currentFile: "" };

/** The sinks of a running session, as the source knows them, until each has an outcome. Pure. */
export class SinkRoster {
  readonly #sinks = new Map<string, RosterEntry>();
  /** What they do as long as nothing else is known. */
  readonly #usual: "receiving" | "comparing";

  constructor(members: readonly Member[], nowMs: number, usual: "receiving" | "comparing" = "receiving") {
    this.#usual = usual;
    for (const member of members) this.#sinks.set(member.id, this.#entryOf(member, STREAM_DATA, nowMs));
  }

  /** Ids of the sinks without an outcome. */
  live(): string[] {
    return [...this.#sinks].filter(([, sink]) => sink.outcome === undefined).map(([id]) => id);
  }

  isLive(sinkId: string): boolean {
    return this.#live(sinkId) !== undefined;
  }

  nameOf(sinkId: string): string {
    return this.memberOf(sinkId).name;
  }

  memberOf(sinkId: string): Member {
    return this.#sinks.get(sinkId)?.member ?? { id: sinkId, name: sinkId };
  }

  outcomeOf(sinkId: string): SinkOutcome | undefined {
    return this.#sinks.get(sinkId)?.outcome;
  }

  /** A sink that is new or begins again. Its earlier state is forgotten, except for the number of its lane. */
  join(member: Member, nowMs: number): void {
    const lane = this.#sinks.get(member.id)?.lane ?? 0;
    this.#sinks.set(member.id, { ...this.#entryOf(member, undefined, nowMs), lane });
  }

  /** Its control connection is there again. */
  present(sinkId: string, nowMs: number): void {
    const sink = this.#live(sinkId);
    if (sink === undefined) return;
    sink.left = undefined;
    sink.away = undefined;
    sink.heardMs = nowMs;
  }

  /** Its control connection is gone: silence is enough now to call it away. */
  left(sinkId: string, absence: Absence): void {
    const sink = this.#live(sinkId);
    if (sink !== undefined) sink.left ??= absence;
  }

  /** Something came from it; true when it was away. */
  heard(sinkId: string, message: UpMessage, nowMs: number): boolean {
    const sink = this.#live(sinkId);
    if (sink === undefined) return false;
    const wasAway = sink.away !== undefined;
    sink.away = undefined;
    sink.heardMs = nowMs;
    // It is repeated until the source acts. What it answers is stored when it is new: the next report says so.
    if (message.type === "lacks") return wasAway;
    if (message.type === "want") {
      // Repeated, too, also by a sink whose disk hangs.
      if (message.page > sink.wantedPage) sink.movedMs = nowMs;
      sink.wantedPage = Math.max(sink.wantedPage, message.page);
      return wasAway;
    }
    const { filesDone, bytesDone } = message.progress;
    const same = filesDone === sink.progress.filesDone && bytesDone === sink.progress.bytesDone;
    sink.progress = message.progress;
    if (message.type === "report") this.#report(sink, message, { same, nowMs });
    else sink.movedMs = nowMs;
    return wasAway;
  }

  #report(
    sink: RosterEntry,
    { busy, steps, storedUpTo, limit, pace }: SinkReport,
    { same, nowMs }: { readonly same: boolean; readonly nowMs: number },
  ): void {
    // What is stored need not be anything that this sink wanted.
    const isStored = !same || storedUpTo !== sink.storedUpTo;
    const isBusy = busy === "hashing" ? steps !== sink.steps : busy !== undefined;
    if (isStored || isBusy) sink.movedMs = nowMs;
    sink.storedUpTo = storedUpTo;
    sink.steps = steps;
    sink.limit = limit;
    sink.pace = pace;
    sink.hashing = busy === "hashing";
    sink.state = busy === undefined || busy === "hashing" ? this.#usual : "verifying";
  }

  /**
   * Time in which the source itself was cut off or stood still is not a sink's silence. Nor do its `passedMs` count for
   * sinks that were already away.
   */
  allHeard(nowMs: number, passedMs = 0): void {
    for (const sink of this.#sinks.values()) {
      if (sink.away !== undefined) {
        sink.away = { ...sink.away, sinceMs: sink.away.sinceMs + passedMs };
        continue;
      }
      sink.heardMs = nowMs;
      sink.movedMs = nowMs;
    }
  }

  silentMs(sinkId: string, nowMs: number): number {
    return nowMs - (this.#sinks.get(sinkId)?.heardMs ?? nowMs);
  }

  /** How long it has said nothing new. */
  stillMs(sinkId: string, nowMs: number): number {
    return nowMs - (this.#sinks.get(sinkId)?.movedMs ?? nowMs);
  }

  /** To how many bytes a second it holds itself; null: it takes what comes. */
  limitOf(sinkId: string): number | null {
    return this.#live(sinkId)?.limit?.bytesPerSecond ?? null;
  }

  isHashing(sinkId: string): boolean {
    return this.#live(sinkId)?.hashing === true;
  }

  /** What its time went to of late. */
  paceOf(sinkId: string): Pace | undefined {
    return this.#live(sinkId)?.pace;
  }

  /** Why it is gone, when the coordinator said so. */
  leftOf(sinkId: string): Absence | undefined {
    return this.#live(sinkId)?.left;
  }

  awayOf(sinkId: string): Absence | undefined {
    return this.#live(sinkId)?.away;
  }

  putAway(sinkId: string, absence: Absence): void {
    const sink = this.#live(sinkId);
    if (sink !== undefined) sink.away ??= absence;
  }

  setLagging(sinkId: string, lagging: boolean): void {
    const sink = this.#live(sinkId);
    if (sink !== undefined) sink.lagging = lagging;
  }

  /** The stream it is served on; undefined when on none. */
  streamOf(sinkId: string): number | undefined {
    return this.#live(sinkId)?.stream;
  }

  /** It is served on no stream until it gets a lane. */
  unserve(sinkId: string): void {
    const sink = this.#live(sinkId);
    if (sink !== undefined) sink.stream = undefined;
  }

  /** Number of its next lane, on which it is served from now on. */
  nextLane(sinkId: string, nowMs: number): number {
    const sink = this.#live(sinkId);
    if (sink === undefined) return 0;
    sink.lane += 1;
    sink.stream = sink.lane;
    sink.lagging = false;
    sink.movedMs = nowMs;
    sink.wantedPage = NO_PAGE;
    return sink.lane;
  }

  /** `note` says what is special about its copy. */
  proven(sinkId: string, proof: Extract<UpMessage, { type: "proof" }>, note?: string): SinkOutcome | undefined {
    const { digest, problemCount, problems, filesUnchanged, bytesUnchanged, bytesKept, entriesChanged } = proof;
    const { takenAsUnchanged, fidelity, deletion, snapshot, receipt } = proof;
    const unsynced = proof.unsynced === true ? { unsynced: true } : {};
    const message = note === undefined ? {} : { message: note };
    return this.#settle(sinkId, {
      outcome: outcomeOfProof(proof),
      digest,
      problemCount,
      problems,
      filesUnchanged,
      bytesUnchanged,
      bytesKept,
      entriesChanged,
      ...(takenAsUnchanged === undefined ? {} : { takenAsUnchanged }),
      ...(fidelity === undefined ? {} : { fidelity }),
      ...(deletion === undefined ? {} : { deletion }),
      ...unsynced,
      ...(snapshot === undefined ? {} : { snapshot }),
      receipt,
      ...message,
    });
  }

  /** It has said what it wants in a dry run. It already has the other files. */
  dryRun(
    sinkId: string,
    { filesReplaced, deletion }: Pick<Extract<UpMessage, { type: "outlook" }>, "filesReplaced" | "deletion">,
    { wanted, found }: { readonly wanted: WantedAmount; readonly found: Amount },
  ): SinkOutcome | undefined {
    const unchanged = { files: found.files - wanted.files, bytes: found.bytes - wanted.bytes };
    return this.#settle(sinkId, {
      outcome: "dry-run",
      problemCount: 0,
      problems: [],
      filesDone: unchanged.files,
      filesUnchanged: unchanged.files,
      filesWanted: wanted.files,
      bytesDone: unchanged.bytes,
      bytesUnchanged: unchanged.bytes,
      bytesWanted: wanted.roomBytes,
      filesReplaced: Math.min(filesReplaced, wanted.files),
      ...(deletion === undefined ? {} : { deletion }),
    });
  }

  failed(sinkId: string, code: ErrorCode, message: string): SinkOutcome | undefined {
    return this.#settle(sinkId, { outcome: "failed", code, message, problemCount: 0, problems: [] });
  }

  /** `awayMs`: how long a sink that is away is waited for. */
  lines(nowMs: number, awayMs: number): SinkLine[] {
    return [...this.#sinks.values()].map((sink) => {
      const limit = sink.limit === undefined || sink.outcome !== undefined ? {} : { limit: sink.limit };
      const line = { name: sink.member.name, state: stateOf(sink), progress: sink.progress, ...limit };
      if (line.state !== "away" || sink.away === undefined) return line;
      return { ...line, leftMs: Math.max(0, Math.round(sink.away.sinceMs + awayMs - nowMs)) };
    });
  }

  /** The same for the coordinator. */
  states(): SinkStanding[] {
    return [...this.#sinks].map(([sinkId, sink]) => {
      const { filesDone, bytesDone } = sink.progress;
      return { sinkId, state: stateOf(sink), filesDone, bytesDone };
    });
  }

  outcomes(): SinkOutcome[] {
    return [...this.#sinks.values()].flatMap((sink) => (sink.outcome === undefined ? [] : [sink.outcome]));
  }

  #entryOf(member: Member, stream: number | undefined, nowMs: number): RosterEntry {
    return {
      member,
      progress: NOTHING_YET,
      state: this.#usual,
      hashing: false,
      heardMs: nowMs,
      movedMs: nowMs,
      storedUpTo: 0,
      steps: undefined,
      wantedPage: NO_PAGE,
      limit: undefined,
      pace: undefined,
      stream,
      lane: 0,
      lagging: false,
      left: undefined,
      away: undefined,
      outcome: undefined,
    };
  }

  #live(sinkId: string): RosterEntry | undefined {
    const sink = this.#sinks.get(sinkId);
    return sink?.outcome === undefined ? sink : undefined;
  }

  #settle(
    sinkId: string,
    result: Pick<SinkOutcome, "outcome" | "problemCount" | "problems"> & Partial<SinkOutcome>,
  ): SinkOutcome | undefined {
    const sink = this.#live(sinkId);
    if (sink === undefined) return undefined;
    const { filesDone, bytesDone } = sink.progress;
    const caughtUp = sink.stream !== STREAM_DATA;
    const rest = { filesUnchanged: 0, bytesUnchanged: 0, bytesKept: 0, entriesChanged: 0, caughtUp };
    if (result.outcome === "failed") rest.caughtUp = false;
    sink.outcome = { sinkId, name: sink.member.name, filesDone, bytesDone, ...rest, ...result };
    sink.state = result.outcome;
    return sink.outcome;
  }
}

function stateOf(sink: RosterEntry): SinkLine["state"] {
  if (sink.outcome !== undefined) return sink.outcome.outcome;
  if (sink.away !== undefined) return "away";
  if (sink.stream !== STREAM_DATA) return "detached";
  return sink.lagging ? "lagging" : sink.state;
}
