import type { Clock } from "../lib/clock.ts";
import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { CoordinatorAddress } from "../member/address.ts";
import type { ControlLink } from "../member/control-link.ts";
import type { Ended, Inbox, Start, Welcome } from "../member/inbox.ts";
import { joinedEvent, targetOf } from "../member/join.ts";
import { tellStatus } from "../member/tell-status.ts";
import type { SinkEvent } from "../protocol/events.ts";
import { STREAM_DATA } from "../protocol/frame.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../protocol/limits.ts";
import type { SinkOutcome } from "../protocol/progress.ts";
import { subjectsOf, toSubject, upSubject } from "../protocol/subjects.ts";
import { connectTransport } from "../transport/connect.ts";
import type { Subscription, Transport } from "../transport/transport.ts";
import { Reporter } from "./reporter.ts";
import { SinkSession } from "./session.ts";
import type { SinkFolder } from "./sink-folder.ts";

export interface AttemptOptions {
  readonly link: ControlLink;
  readonly inbox: Inbox;
  readonly address: CoordinatorAddress;
  readonly folder: SinkFolder;
  readonly welcome: Welcome;
  readonly emit: (event: SinkEvent) => void;
  readonly clock: Clock;
  readonly fileEvents: boolean;
  readonly acceptNewSource: boolean;
  readonly signal: AbortSignal;
}

/** One session that a sink was welcomed to: from its subscription, over the wait, to its end. */
export interface Attempt extends AsyncDisposable {
  /** Registered. Resolves when the session starts, or when another session is offered instead. */
  waitForStart(): Promise<Start | Welcome>;
  /** @throws FanfoldError what this sink failed by, or how the session was lost */
  copy(start: Start): Promise<{ readonly outcome: SinkOutcome; readonly elapsedMs: number }>;
}

/**
 * Connects to the session's transport, subscribes, and registers: in this order, so that no first frame is missed
 * [P-1.2].
 */
export async function openAttempt(options: AttemptOptions): Promise<Attempt> {
  const { welcome, address, signal, emit, link } = options;
  emit(joinedEvent(welcome));
  for (const message of welcome.warnings) emit({ type: "warning", code: "coordinator", message });
  await using opening = new AsyncDisposableStack();
  const target = targetOf(welcome.transport, address);
  // Bulk data and reports never share a connection (D5): a report must not queue behind data.
  const down = await connectTransport(target, { clientName: `fanfold sink ${welcome.member.name}`, signal });
  opening.defer(() => down.close());
  const up = await connectTransport(target, { clientName: `fanfold sink ${welcome.member.name} reports`, signal });
  opening.defer(() => up.drain({ signal: AbortSignal.timeout(DRAIN_MS_MAX) }).catch(() => up.close()));
  tellStatus(down, emit);
  const subjects = subjectsOf(welcome.sessionId);
  const queue = { signal, queueBytes: SUBSCRIBER_QUEUE_BYTES };
  const data = await down.subscribe(subjects.data, queue);
  const lane = await down.subscribe(toSubject(subjects, welcome.member.id), queue);
  link.send({ type: "ready" });
  emit({ type: "waiting", underWay: welcome.underWay });
  return new OpenAttempt(options, { down, up, subscriptions: [data, lane], closing: opening.move() });
}

const DRAIN_MS_MAX = 2_000;

interface AttemptLinks {
  readonly down: Transport;
  readonly up: Transport;
  readonly subscriptions: readonly Subscription[];
  readonly closing: AsyncDisposableStack;
}

class OpenAttempt implements Attempt {
  readonly #options: AttemptOptions;
  readonly #links: AttemptLinks;

  constructor(options: AttemptOptions, links: AttemptLinks) {
    this.#options = options;
    this.#links = links;
  }

  async waitForStart(): Promise<Start | Welcome> {
    const { inbox } = this.#options;
    for (;;) {
      const message = await inbox.next();
      if (message.type === "start" || message.type === "welcome") return message;
      if (message.type === "ended") throw endedError(message);
      if (message.type === "left") this.#left(message);
    }
  }

  async copy(start: Start): Promise<{ outcome: SinkOutcome; elapsedMs: number }> {
    const { folder, welcome, clock, emit, fileEvents, signal, acceptNewSource } = this.#options;
    if (folder.pinnedSource !== undefined && folder.pinnedSource !== start.sourceIdentity && !acceptNewSource) {
      throw new FanfoldError(
        "source-changed",
        `Take the tree of "${start.source.name}" into "${folder.path}": the folder holds the copy of another source; use another folder, or --accept-new-source`,
      );
    }
    emit({ type: "started", source: start.source.name, sinks: start.sinks.map((sink) => sink.name) });
    const startMs = clock.nowMs();
    const stop = new AbortController();
    const scope = {
      sessionId: welcome.sessionId,
      epoch: start.epoch,
      clock,
      signal: AbortSignal.any([signal, stop.signal]),
    };
    const subject = upSubject(subjectsOf(welcome.sessionId), welcome.member.id);
    using reporter = new Reporter({ ...scope, transport: this.#links.up, subject, stream: STREAM_DATA });
    const exclusivePayloads = this.#links.down.capabilities.kind === "embedded";
    const session = new SinkSession({
      ...scope,
      folder: folder.path,
      subscriptions: this.#links.subscriptions,
      exclusivePayloads,
      reporter,
      emit,
      fileEvents,
    });
    const ended = this.#untilEnded();
    const running = session.run();
    // Whichever fails first says why; the session must have let go of the disk before anything else goes on.
    try {
      await Promise.race([running, ended]);
      const outcome = outcomeOf(await ended);
      folder.pinSource(start.sourceIdentity);
      return { outcome, elapsedMs: clock.nowMs() - startMs };
    } finally {
      stop.abort(new FanfoldError("closed", "The session is over"));
      await running.catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#links.closing[Symbol.asyncDispose]();
  }

  async #untilEnded(): Promise<Ended> {
    for (;;) {
      const message = await this.#options.inbox.next();
      if (message.type === "ended") return message;
      if (message.type === "left") this.#left(message);
    }
  }

  #left({
    member,
    code,
    reason,
  }: {
    readonly member: { readonly name: string };
    readonly code: string;
    readonly reason: string;
  }): void {
    this.#options.emit({ type: "left", name: member.name, code, reason });
  }
}

/** The outcome of this sink as the source took it. @throws FanfoldError when it is no success */
function outcomeOf(ended: Ended): SinkOutcome {
  const { mine } = ended;
  if (mine === undefined) throw endedError(ended);
  if (mine.outcome !== "failed") return mine;
  throw new FanfoldError(
    mine.code !== undefined && isErrorCode(mine.code) ? mine.code : "sinks-lost",
    mine.message ?? "The source gave this sink up",
  );
}

function endedError(ended: Ended): FanfoldError {
  const reason = ended.reason ?? "the session ended before the copy was proven";
  if (ended.code === "coordinator-lost") return new FanfoldError("coordinator-lost", reason);
  return new FanfoldError("source-lost", `The source left: ${reason}`);
}
