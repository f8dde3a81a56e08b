import { FanfoldError } from "../../lib/errors.ts";
import type { Ended, Start, Told, Welcome } from "../../member/inbox.ts";
import { joinedEvent } from "../../member/join.ts";
import type { CommitDecision } from "../../protocol/messages/commit.ts";
import type { SinkOutcome } from "../../protocol/messages/progress.ts";
import { signReceipt } from "../../protocol/messages/receipt.ts";
import { checkStart } from "./check-start.ts";
import type { Conclusion, Proven, TreeKeeper } from "./copy-parts.ts";
import { EngineThreads } from "./engine-threads.ts";
import { notKept } from "./keep-tree.ts";
import { outcomeOf } from "./own-outcome.ts";
import { openSeal, sealFields } from "./seal-secret.ts";
import { SinkEpoch } from "./sink-epoch.ts";
import type { SinkSessionOptions } from "./sink-session-options.ts";
import { openWire, type SinkWire } from "./sink-wire.ts";
import { SourceWatch } from "./source-watch.ts";
import { commitTerms, type Switching, switchingOf } from "./switching.ts";

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

/**
 * Connects to the session's transport, subscribes, and registers: in this order, so that no first frame is missed
 * [P-1.2].
 */
export async function openSinkSession(options: SinkSessionOptions, signal: AbortSignal): Promise<SinkSession> {
  const { welcome, link, runtime } = options;
  const { emit } = runtime;
  emit(joinedEvent(welcome));
  for (const message of welcome.warnings) emit({ type: "warning", code: "coordinator", message });
  await using opening = new AsyncDisposableStack();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  // Whether the session is sealed is told with its start. Before that nothing is said, and nothing comes.
  const wire = opening.use(
    // A session that is under way serves us on a lane of our own.
    await openWire({ ...options, isSealed: true, withData: !welcome.underWay, onFailure: failed.reject }, signal),
  );
  link.send({ type: "ready" });
  emit({ type: "waiting", underWay: welcome.underWay });
  const engines = opening.use(new EngineThreads());
  engines.prepare();
  opening.move();
  return new OpenSinkSession(options, { wire, engines, failed });
}

interface SinkSessionParts {
  readonly wire: SinkWire;
  readonly engines: EngineThreads;
  readonly failed: PromiseWithResolvers<never>;
}

class OpenSinkSession implements SinkSession {
  readonly #options: SinkSessionOptions;
  readonly #parts: SinkSessionParts;
  #wire: SinkWire;
  readonly #source: SourceWatch;
  /** What waits in it ends with it. */
  readonly #over = new AbortController();
  /** Of a sink that keeps snapshots. */
  readonly #switching: Switching | undefined;
  #copy: SinkEpoch | undefined;
  #startMs = 0;
  /** The snapshot that its copy is, once it is proven. */
  #kept: string | undefined;
  #start: Start | undefined;
  /** A start that has to wait for what is decided on an earlier copy. */
  #parked: Start | undefined;
  /** Another session, or the same one anew: this one is over here. */
  #anew: Welcome | undefined;
  /** The last start was of a copy that is not for it. */
  #sitsOut = false;
  /** What it said last of its copy. */
  #concluded: Conclusion | undefined;

  constructor(options: SinkSessionOptions, parts: SinkSessionParts) {
    this.#options = options;
    this.#parts = parts;
    this.#wire = parts.wire;
    const { clock, emit } = options.runtime;
    this.#source = new SourceWatch(clock, (name) => emit({ type: "returned", name }));
    const isAtWork = () => this.#copy?.isAtWork === true;
    this.#switching = switchingOf({ ...options, isAtWork }, this.#over.signal);
  }

  async run(): Promise<SinkSessionResult | Welcome> {
    this.#switching?.ask();
    return await Promise.race([this.#follow(), this.#parts.failed.promise]);
  }

  /** The session must have let go of the disk before anything else goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new FanfoldError("closed", "This session is over"));
    await this.#drop();
    this.#options.turns.lend();
    await this.#parts.engines[Symbol.asyncDispose]();
    await this.#wire[Symbol.asyncDispose]();
  }

  async #follow(): Promise<SinkSessionResult | Welcome> {
    for (;;) {
      const message: Told = await this.#options.link.next();
      if (message.type === "welcome" && !message.rejoined) return message;
      // Who sits out is welcomed to the next session.
      if (message.type === "ended" && !this.#sitsOut) return await this.#result(message);
      if (message.type !== "ended") await this.#hear(message);
      if (this.#anew !== undefined) return this.#anew;
    }
  }

  async #hear(message: Exclude<Told, Ended>): Promise<void> {
    switch (message.type) {
      case "start":
        await this.#beginOrSitOut(message);
        break;
      case "left":
        this.#source.left(message.member.name);
        this.#options.runtime.emit({
          type: "left",
          name: message.member.name,
          code: message.code,
          reason: message.reason,
        });
        break;
      case "elsewhere":
        this.#options.runtime.emit(message);
        break;
      case "transport":
        this.#wire.live.renew(message.transport);
        break;
      case "welcome":
        // Who comes back may have missed what was decided.
        this.#switching?.ask();
        break;
      case "decided":
        await this.#decided(message.decision);
        break;
      default:
    }
  }

  async #beginOrSitOut(start: Start): Promise<void> {
    try {
      await this.#begin(start);
    } catch (thrown) {
      const { code, message } = FanfoldError.from(thrown);
      if (code !== "not-recipient" || !this.#options.stay) throw thrown;
      await this.#drop();
      this.#options.runtime.emit({ type: "warning", code, message });
      this.#sitsOut = true;
      this.#takeData(false);
    }
  }

  /**
   * Begins the copy. When the source or this sink came back as a new process, begins it again with the data that is stored.
   */
  async #begin(start: Start): Promise<void> {
    const { folder, snapshots, welcome, copies, buffers, bandwidth, acceptNewSource, trustSource } = this.#options;
    const { command, runtime, turns } = this.#options;
    const { clock, emit, signal } = runtime;
    if (this.#copy !== undefined && start.epoch <= this.#copy.epoch) return;
    if (this.#switching?.holds({ sessionId: welcome.sessionId, epoch: start.epoch }) === true) {
      this.#parked = start;
      return;
    }
    checkStart(start, { folder, acceptNewSource, trustSource, keepsSnapshots: snapshots !== undefined });
    const { sessionId, session } = welcome;
    const scope = { sessionId, epoch: start.epoch };
    const seal = await openSeal(start, scope, this.#options);
    await this.#drop();
    this.#sitsOut = false;
    await turns.take({ emit, clock, signal: AbortSignal.any([signal, this.#over.signal]) });
    if (seal === undefined && this.#wire.live.isExposed && !(await this.#hide(start))) return;
    const { intake, up, down } = this.#wire;
    const { engines, failed } = this.#parts;
    this.#concluded = undefined;
    this.#source.started();
    const { dryRun } = start;
    const sinks = start.sinks.map((sink) => sink.name);
    emit({
      type: "started",
      source: start.source.name,
      sinks,
      ...(dryRun ? { dryRun } : {}),
      ...sealFields(start.seal),
    });
    this.#startMs = clock.nowMs();
    this.#start = start;
    this.#takeData(!start.late);
    const copy = new SinkEpoch({
      scope,
      task: {
        folder,
        session,
        source: start.sourceIdentity,
        dryRun,
        ...copies,
        snapshots: this.#keeper(start),
        command: command && ((facts, stop) => command.run({ ...this.#origin(start), ...facts }, stop)),
        sign: (proven) => this.#sign(start, proven),
        concluded: (conclusion) => {
          this.#concluded = conclusion;
          // Too late for the others, it may have heard already.
          this.#switching?.act();
        },
      },
      feed: { engines, buffers, bandwidth, exclusivePayloads: down.capabilities.kind === "embedded" },
      up: { ...up, seal },
      runtime,
      late: start.late,
      onLane: () => this.#takeData(false),
      onFailure: failed.reject,
    });
    this.#copy = copy;
    this.#options.onCopy(start.epoch);
    intake.setTarget((payload, isOwnSubject) => {
      this.#source.heard();
      return copy.take(payload, isOwnSubject);
    });
  }

  /** Not waited for: while the broker is away, the coordinator is still to be listened to. */
  #takeData(wanted: boolean): void {
    void this.#wire.intake.takeData(wanted).catch(this.#parts.failed.reject);
  }

  /**
   * This copy is not sealed: it goes over TLS only, whatever the coordinator says. What is missed meanwhile is asked for. False
   * when the coordinator is back with another welcome: by the ticket of this one nobody comes in any more.
   */
  async #hide({ late }: Start): Promise<boolean> {
    const { link, runtime } = this.#options;
    await this.#wire[Symbol.asyncDispose]();
    const wire = { ...this.#options, isSealed: false, withData: !late, onFailure: this.#parts.failed.reject };
    const signal = AbortSignal.any([runtime.signal, this.#over.signal]);
    const opened = await link.unlessWelcomed(signal, (opening) => openWire(wire, opening));
    if ("type" in opened) this.#anew = opened;
    else this.#wire = opened;
    return this.#anew === undefined;
  }

  #origin({ source, sourceIdentity, sourceDirectory: folder }: Start) {
    const { session, sessionId } = this.#options.welcome;
    const named = { name: source.name, key: sourceIdentity, ...(folder === undefined ? {} : { folder }) };
    return { session, sessionId, source: named };
  }

  #keeper(start: Start): TreeKeeper | undefined {
    const { snapshots, folder } = this.#options;
    if (snapshots === undefined) return undefined;
    const origin = this.#origin(start);
    const terms = commitTerms(start, this.#options.welcome);
    return {
      keep: (tree) => {
        try {
          const kept = snapshots.keep({ ...origin, ...tree }, terms);
          this.#kept = kept.name;
          return kept;
        } catch (thrown) {
          throw notKept(folder.path, thrown);
        }
      },
    };
  }

  async #sign({ epoch, sourceIdentity: source }: Start, proven: Proven): Promise<string> {
    const { welcome, folder, space, copies, link, runtime } = this.#options;
    await space.lookAndTell();
    const { session, sessionId, member } = welcome;
    const { durability } = copies.fill;
    const scope = { session, sessionId, epoch, source, name: member.name };
    const provenAt = runtime.clock.date().toISOString();
    const receipt = signReceipt({ ...scope, ...proven, durability, provenAt }, folder.key);
    if (this.#kept !== undefined) this.#options.snapshots?.keepReceipt(this.#kept, receipt);
    link.send({ type: "receipt", receipt });
    return receipt;
  }

  async #drop(): Promise<void> {
    this.#wire.intake.setTarget(undefined);
    const copy = this.#copy;
    this.#copy = undefined;
    this.#options.onCopy(undefined);
    await copy?.stop();
  }

  /** Between two copies the folder is lent to others. */
  async #decided(decision: CommitDecision): Promise<void> {
    const isLent = this.#copy === undefined;
    // The copy of an epoch that is over may not hold up the next one.
    if (this.#parked !== undefined) await this.#drop();
    await this.#switching?.take(decision, isLent);
    const parked = this.#parked;
    this.#parked = undefined;
    if (parked !== undefined) await this.#beginOrSitOut(parked);
  }

  async #result(ended: Ended): Promise<SinkSessionResult> {
    if (ended.decision !== undefined) {
      await this.#drop();
      this.#switching?.heard(ended.decision);
    }
    const { dryRun = false, sourceIdentity } = this.#start ?? {};
    const outcome = outcomeOf(ended, this.#concluded, this.#start);
    if (!dryRun && sourceIdentity !== undefined) this.#options.folder.pinSource(sourceIdentity);
    return { outcome, elapsedMs: this.#options.runtime.clock.nowMs() - this.#startMs };
  }
}
