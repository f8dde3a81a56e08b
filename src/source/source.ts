import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError, isErrorCode, systemCode } from "../lib/errors.ts";
import type { EventHub } from "../lib/event-hub.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { parseCoordinatorAddress } from "../member/address.ts";
import { type Ended, Inbox, type Start } from "../member/inbox.ts";
import { joinCoordinator, joinedEvent, targetOf } from "../member/join.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { tellStatus } from "../member/tell-status.ts";
import type { Hello } from "../protocol/control.ts";
import type { SourceEvent } from "../protocol/events.ts";
import { fitReason, fitSummary } from "../protocol/fit-message.ts";
import { CONTROL_BYTES_MAX, PROTOCOL_VERSION, SUBSCRIBER_QUEUE_BYTES } from "../protocol/limits.ts";
import type { SessionSummary } from "../protocol/progress.ts";
import { subjectsOf, upWildcard } from "../protocol/subjects.ts";
import { connectTransport } from "../transport/connect.ts";
import { sourceSecret } from "./identity.ts";
import { SourceSession } from "./session.ts";

export interface SourceOptions {
  /** Address of the coordinator, `host:port`. */
  readonly coordinator: string;
  /** Directory to publish. */
  readonly folder: string;
  /** @default "default" */
  readonly session?: string;
  /** Sinks that must be registered before it starts. @default 1 */
  readonly destCount?: number;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Longest wait for the sinks, in milliseconds; no limit when absent. */
  readonly waitTimeoutMs?: number;
  /** Longest wait for the coordinator, in milliseconds. @default 30_000 */
  readonly connectTimeoutMs?: number;
  /** Whether to emit one event a file. @default false */
  readonly fileEvents?: boolean;
  /** Where the source's identity is kept between runs. */
  readonly stateDir: string;
  /** Aborted: the session ends in order, and the sinks are told why. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What stands around a summary in its message. */
const ENVELOPE_BYTES = 1024;

/** A source at work. A sink's failure does not reject its result but stands in the summary. */
export type SourceRun = MemberRun<SourceEvent, SessionSummary>;

/** Publishes a directory to every sink of a session. It starts at once; disposing ends it in order. */
export function runSource(options: SourceOptions): SourceRun {
  return startMember(options.signal, ({ hub, signal }) => new SourceProgram({ ...options, signal }, hub).run());
}

class SourceProgram {
  readonly #options: SourceOptions;
  readonly #hub: EventHub<SourceEvent>;
  readonly #clock: Clock;
  readonly #random: Random;
  #session: SourceSession | undefined;

  constructor(options: SourceOptions, hub: EventHub<SourceEvent>) {
    this.#options = options;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async run(): Promise<SessionSummary> {
    const { signal } = this.#options;
    const root = openFolder(this.#options.folder);
    const address = parseCoordinatorAddress(this.#options.coordinator);
    const link = await joinCoordinator({
      address,
      hello: this.#hello(root),
      connectTimeoutMs: this.#options.connectTimeoutMs ?? 30_000,
      emit: (event) => this.#hub.emit(event),
      signal,
      clock: this.#clock,
      random: this.#random,
    });
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => link.close());
    try {
      const inbox = new Inbox(link, signal);
      const welcome = await inbox.welcome();
      this.#hub.emit(joinedEvent(welcome));
      for (const message of welcome.warnings) this.#hub.emit({ type: "warning", code: "coordinator", message });
      const target = targetOf(welcome.transport, address);
      const subjects = subjectsOf(welcome.sessionId);
      // Bulk data and reports never share a connection (D5): a report must not queue behind data.
      const data = await connectTransport(target, { clientName: `fanfold source ${welcome.member.name}`, signal });
      cleanup.defer(() => data.close());
      const up = await connectTransport(target, {
        clientName: `fanfold source ${welcome.member.name} reports`,
        signal,
      });
      cleanup.defer(() => up.close());
      tellStatus(data, (event) => this.#hub.emit(event));
      const reports = await up.subscribe(upWildcard(subjects), { signal, queueBytes: SUBSCRIBER_QUEUE_BYTES });
      link.send({ type: "ready" });
      const start = await this.#start(inbox);
      this.#session = new SourceSession({
        ...{ root, subjects, reports, signal, sessionId: welcome.sessionId, epoch: start.epoch, sinks: start.sinks },
        transport: data,
        clock: this.#clock,
        emit: (event) => this.#hub.emit(event),
        tellProgress: (progress) => link.send({ type: "progress", progress }),
        fileEvents: this.#options.fileEvents ?? false,
      });
      const control = this.#follow(inbox);
      const summary = await Promise.race([this.#session.run(), control]);
      link.send({ type: "finished", summary: fitSummary(summary, CONTROL_BYTES_MAX - ENVELOPE_BYTES) });
      this.#hub.emit({ type: "finished", summary });
      return summary;
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      link.send({ type: "leave", code: error.code, reason: fitReason(error.message) });
      throw error;
    }
  }

  #hello(root: Buffer): Hello {
    const { name, session, destCount, stateDir } = this.#options;
    return {
      type: "hello",
      version: PROTOCOL_VERSION,
      role: "source",
      session: session ?? "default",
      label: name ?? hostname(),
      labelAsked: name !== undefined,
      secret: sourceSecret(stateDir, root, this.#random),
      destCount: destCount ?? 1,
    };
  }

  /** Waits until enough sinks are registered, showing who is there. */
  async #start(inbox: Inbox): Promise<Start> {
    const { waitTimeoutMs, signal } = this.#options;
    const over = new AbortController();
    const waited = AbortSignal.any([signal, over.signal]);
    using started = new DisposableStack();
    let there: readonly string[] = [];
    let needed = this.#options.destCount ?? 1;
    if (waitTimeoutMs !== undefined) {
      // Ends with the wait: it would else keep the process of a short session for all of its time.
      const asleep = new AbortController();
      started.defer(() => asleep.abort());
      this.#clock.sleep(waitTimeoutMs, AbortSignal.any([signal, asleep.signal])).then(
        () =>
          over.abort(
            new FanfoldError(
              "wait-timeout",
              `Wait for sinks: ${there.length} of ${needed} registered after ${waitTimeoutMs / 1000} s${there.length > 0 ? ` (${there.join(", ")})` : ""}`,
            ),
          ),
        () => undefined,
      );
    }
    for (;;) {
      const message = await inbox.next(waited);
      if (message.type === "start") {
        this.#hub.emit({ type: "started", sinks: message.sinks.map((sink) => sink.name) });
        return message;
      }
      if (message.type === "ended") throw endedError(message);
      if (message.type !== "sinks") continue;
      needed = message.needed;
      there = message.sinks.map((sink) => sink.name);
      this.#hub.emit({ type: "waiting", needed, sinks: there });
    }
  }

  /** Listens to the coordinator while the session runs. Never resolves; rejects when the coordinator is lost. */
  async #follow(inbox: Inbox): Promise<never> {
    for (;;) {
      const message = await inbox.next();
      if (message.type === "left") this.#session?.sinkLeft(message.member.id, message.code, message.reason);
      else if (message.type === "ended") throw endedError(message);
    }
  }
}

/** The session was ended by somebody else: by a coordinator that stops, say. */
function endedError({ code, reason }: Ended): FanfoldError {
  const known = code !== undefined && isErrorCode(code) ? code : "refused";
  return new FanfoldError(known, reason ?? "The coordinator ended the session");
}

/** The canonical path of a directory that can be read. */
function openFolder(folder: string): Buffer {
  try {
    const root = realpathSync(folder, { encoding: "buffer" });
    if (!statSync(root).isDirectory())
      throw new FanfoldError("folder-not-a-directory", `Read the directory "${folder}": it is no directory`);
    accessSync(root, constants.R_OK | constants.X_OK);
    return root;
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOENT")
      throw new FanfoldError("folder-missing", `Read the directory "${folder}": no such directory`, { cause: thrown });
    if (code === "ENOTDIR")
      throw new FanfoldError("folder-not-a-directory", `Read the directory "${folder}": it is no directory`, {
        cause: thrown,
      });
    if (code === "EACCES")
      throw new FanfoldError("folder-denied", `Read the directory "${folder}": permission denied`, { cause: thrown });
    throw FanfoldError.from(thrown);
  }
}
