import type { BufferPool } from "../../lib/buffer-pool.ts";
import { FanfoldError, isErrorCode } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import { isAmong } from "../../lib/folder/folder-place.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import type { Ended, Start, Told, Welcome } from "../../member/inbox.ts";
import { joinedEvent, type LiveTarget } from "../../member/join.ts";
import { openTransports } from "../../member/session-transports.ts";
import type { SteadyLink } from "../../member/steady-link.ts";
import type { SinkOutcome } from "../../protocol/messages/progress.ts";
import { fingerprint } from "../../protocol/names/fingerprint.ts";
import { subjectsOf, upSubject } from "../../protocol/subjects.ts";
import type { Transport } from "../../transport/transport.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { CopyTask, SinkRuntime, SinkUp } from "./copy-parts.ts";
import { EngineThreads } from "./engine-threads.ts";
import { Intake } from "./intake.ts";
import { SinkEpoch } from "./sink-epoch.ts";
import { SourceWatch } from "./source-watch.ts";
import { takeFolder } from "./take-folder.ts";

interface SinkSessionOptions {
  readonly link: SteadyLink;
  readonly address: CoordinatorAddress;
  readonly welcome: Welcome;
  readonly folder: SinkFolder;
  readonly acceptNewSource: boolean;
  /** How each of its copies is to be made. */
  readonly copies: Pick<CopyTask, "fill" | "deletion" | "fileEvents">;
  /** Memory for payloads, for one session after another. */
  readonly buffers: BufferPool;
  /** The epoch of the copy that runs in this process from now on; undefined when none does. */
  readonly onCopy: (epoch: number | undefined) => void;
  readonly runtime: SinkRuntime;
}

/** How one session ended for a sink that proved its copy. */
interface SinkSessionResult {
  readonly outcome: SinkOutcome;
  readonly elapsedMs: number;
}

/** One session that a sink was welcomed to: from its subscription, over the wait and every start of the copy, to its end. */
interface SinkSession extends AsyncDisposable {
  /**
   * Registered. Resolves when the session is over, or when it is gone for this sink and another one is offered.
   *
   * @throws FanfoldError what this sink failed by, or how the session was lost
   */
  run(): Promise<SinkSessionResult | Welcome>;
}

const DRAIN_MS_MAX = 2_000;

/**
 * Connects to the session's transport, subscribes, and registers: in this order, so that no first frame is missed
 * [P-1.2].
 */
export async function openSinkSession(options: SinkSessionOptions, signal: AbortSignal): Promise<SinkSession> {
  const { welcome, address, link, buffers, runtime } = options;
  const { clock, emit } = runtime;
  emit(joinedEvent(welcome));
  for (const message of welcome.warnings) emit({ type: "warning", code: "coordinator", message });
  await using opening = new AsyncDisposableStack();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const who = `sink ${welcome.member.name}`;
  const opened = await openTransports({ welcome, address, who, emit, buffers, clock, signal, onEnd: failed.reject });
  const { live, bulk: down, reports } = opened;
  const subjects = subjectsOf(welcome.sessionId);
  const up = { transport: reports, subject: upSubject(subjects, welcome.member.id) };
  opening.defer(() => down.close());
  opening.defer(() => reports.drain({ signal: AbortSignal.timeout(DRAIN_MS_MAX) }).catch(() => reports.close()));
  const intake = await Intake.open(
    {
      transport: down,
      subjects,
      memberId: welcome.member.id,
      onFailure: failed.reject,
      signal: runtime.signal,
    },
    // A session that is under way serves us on a lane of our own.
    !welcome.underWay,
    signal,
  );
  link.send({ type: "ready" });
  emit({ type: "waiting", underWay: welcome.underWay });
  const engines = opening.use(new EngineThreads());
  engines.prepare();
  return new OpenSinkSession(options, { live, up, down, intake, engines, failed, closing: opening.move() });
}

interface SinkSessionParts {
  readonly live: LiveTarget;
  readonly up: SinkUp;
  readonly down: Transport;
  readonly intake: Intake;
  readonly engines: EngineThreads;
  readonly failed: PromiseWithResolvers<never>;
  readonly closing: AsyncDisposableStack;
}

class OpenSinkSession implements SinkSession {
  readonly #options: SinkSessionOptions;
  readonly #parts: SinkSessionParts;
  readonly #source: SourceWatch;
  /** What waits in it ends with it. */
  readonly #over = new AbortController();
  #copy: SinkEpoch | undefined;
  #startMs = 0;
  #start: Start | undefined;

  constructor(options: SinkSessionOptions, parts: SinkSessionParts) {
    this.#options = options;
    this.#parts = parts;
    const { clock, emit } = options.runtime;
    this.#source = new SourceWatch(clock, (name) => emit({ type: "returned", name }));
  }

  async run(): Promise<SinkSessionResult | Welcome> {
    return await Promise.race([this.#follow(), this.#parts.failed.promise]);
  }

  /** The session must have let go of the disk before anything else goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new FanfoldError("closed", "This session is over"));
    await this.#drop();
    this.#options.folder.lend();
    await this.#parts.closing[Symbol.asyncDispose]();
  }

  async #follow(): Promise<SinkSessionResult | Welcome> {
    for (;;) {
      const message: Told = await this.#options.link.next();
      if (message.type === "start") await this.#begin(message);
      else if (message.type === "left") this.#left(message);
      else if (message.type === "elsewhere") this.#options.runtime.emit(message);
      else if (message.type === "ended") return this.#result(message);
      else if (message.type === "welcome") {
        if (!message.rejoined) return message;
        this.#parts.live.renew(message.transport);
      }
    }
  }

  /**
   * Begins the copy. When the source or this sink came back as a new process, begins it again with the data that is stored.
   */
  async #begin(start: Start): Promise<void> {
    const { folder, welcome, copies, buffers, acceptNewSource, runtime } = this.#options;
    const { clock, emit, signal } = runtime;
    if (this.#copy !== undefined && start.epoch <= this.#copy.epoch) return;
    if (folder.pinnedSource !== undefined && folder.pinnedSource !== start.sourceIdentity && !acceptNewSource) {
      throw anotherSource(start, folder);
    }
    if (isAmong(folder.place, start.sourcePlace)) throw overlaps(start.source.name, folder.path);
    await this.#drop();
    await takeFolder(folder, { emit, clock, signal: AbortSignal.any([signal, this.#over.signal]) });
    const { intake, up, down, engines, failed } = this.#parts;
    this.#source.started();
    const { dryRun } = start;
    const sinks = start.sinks.map((sink) => sink.name);
    emit({ type: "started", source: start.source.name, sinks, ...(dryRun ? { dryRun } : {}) });
    this.#startMs = clock.nowMs();
    this.#start = start;
    // Not waited for: while the broker is away, the coordinator is still to be listened to.
    const takeData = (wanted: boolean): void => void intake.takeData(wanted).catch(failed.reject);
    takeData(!start.late);
    const { sessionId, session } = welcome;
    const copy = new SinkEpoch({
      scope: { sessionId, epoch: start.epoch },
      task: { folder, session, source: start.sourceIdentity, dryRun, ...copies },
      feed: { engines, buffers, exclusivePayloads: down.capabilities.kind === "embedded" },
      up,
      runtime,
      late: start.late,
      onLane: () => takeData(false),
      onFailure: failed.reject,
    });
    this.#copy = copy;
    this.#options.onCopy(start.epoch);
    intake.setTarget((payload, isOwnSubject) => {
      this.#source.heard();
      return copy.take(payload, isOwnSubject);
    });
  }

  async #drop(): Promise<void> {
    this.#parts.intake.setTarget(undefined);
    const copy = this.#copy;
    this.#copy = undefined;
    this.#options.onCopy(undefined);
    await copy?.stop();
  }

  #left({ member, code, reason }: Extract<Told, { type: "left" }>): void {
    this.#source.left(member.name);
    this.#options.runtime.emit({ type: "left", name: member.name, code, reason });
  }

  #result(ended: Ended): SinkSessionResult {
    const { dryRun = false, sourceIdentity } = this.#start ?? {};
    const outcome = outcomeOf(ended, dryRun);
    if (!dryRun && sourceIdentity !== undefined) this.#options.folder.pinSource(sourceIdentity);
    return { outcome, elapsedMs: this.#options.runtime.clock.nowMs() - this.#startMs };
  }
}

/** What the source has would be written over, and with `--delete` deleted, while it is read. */
function overlaps(source: string, folder: Buffer): FanfoldError {
  const text = `cannot take the tree of "${source}" into "${shownPath(folder)}": the source's directory is this folder, or lies in it, and the copy would overwrite its own source; give the sink a folder outside of that directory`;
  return new FanfoldError("folder-overlaps", text);
}

/** The same directory is another source when its path, its machine or its user's state is another. */
function anotherSource({ source, sourceIdentity }: Start, { path, pinnedSource = "" }: SinkFolder): FanfoldError {
  const [held, come] = [fingerprint(pinnedSource), fingerprint(sourceIdentity)];
  return new FanfoldError(
    "source-changed",
    `cannot take the tree of "${source.name}" into "${shownPath(path)}": the folder holds the copy of the source with the identity ${held}, and this source has the identity ${come}. If it is the same directory under another path, user or machine, take its identity along ("fanfold identity", or --identity at the source). Otherwise use another folder, or --accept-new-source`,
  );
}

/** The outcome of this sink as the source took it. @throws FanfoldError when it is no success */
function outcomeOf(ended: Ended, dryRun: boolean): SinkOutcome {
  const { mine } = ended;
  if (mine === undefined) throw endedError(ended);
  // A dry run must not end as a copy, nor a copy as a dry run.
  if (mine.outcome !== "failed" && (mine.outcome === "dry-run") !== dryRun)
    throw new FanfoldError(
      "damaged",
      `cannot end the session: it ended as "${mine.outcome}", which is not what it began as`,
    );
  if (mine.outcome !== "failed") return mine;
  throw new FanfoldError(
    mine.code !== undefined && isErrorCode(mine.code) ? mine.code : "sinks-lost",
    mine.message ?? "The source gave up on this sink",
  );
}

function endedError({ code, reason = "the session ended before the copy was proven" }: Ended): FanfoldError {
  if (code === "coordinator-lost") return new FanfoldError(code, reason);
  if (code === "cancelled") return new FanfoldError(code, `The source ended the session for all sinks: ${reason}`);
  return new FanfoldError("source-lost", `The source left: ${reason}`);
}
