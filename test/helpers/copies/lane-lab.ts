import { onTestFinished } from "vitest";
import type { Clock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { DeltaMode } from "../../../src/protocol/delta-mode.ts";
import type { Member } from "../../../src/protocol/messages/control.ts";
import type { SourceEvent } from "../../../src/protocol/messages/events.ts";
import type { SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { subjectsOf, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { Intake } from "../../../src/sink/session/intake.ts";
import { SinkEpoch } from "../../../src/sink/session/sink-epoch.ts";
import { CopyWork } from "../../../src/source/session/copy-work.ts";
import type { SinkPolicy } from "../../../src/source/session/session-work.ts";
import { SourceSession } from "../../../src/source/session/source-session.ts";
import { TreeThreads } from "../../../src/source/tree-threads.ts";
import { quickClock } from "../quick-clock.ts";
import { type FaultPlan, FaultTransport } from "../transports/fault-transport.ts";
import { GateTransport } from "../transports/gate-transport.ts";
import { openSessionBroker, type SessionBroker } from "../transports/session-broker.ts";
import { type PublishWatch, WatchedTransport } from "../transports/watched-transport.ts";
import { engineFeed, usualTask } from "./copy-parts.ts";
import { type SealLab, usualSeals } from "./seal-lab.ts";

export interface LaneLabOptions {
  readonly source: string;
  readonly sinks: readonly string[];
  readonly policy?: SinkPolicy;
  /** How much faster than real time it goes. */
  readonly factor?: number;
  /** When the source makes recipes. @default as a source does */
  readonly delta?: DeltaMode;
  /** Keys of a sealed session. @default as the access of the tests is */
  readonly seals?: SealLab;
  /** Told of all that anybody publishes. */
  readonly onPublish?: PublishWatch;
}

/** One sink of a lab, with its links. */
export interface LabSink {
  readonly member: Member;
  readonly gate: GateTransport;
  /** Ends it as a kill does, but for the lock of its folder. */
  kill(): Promise<void>;
}

export const SCOPE = { sessionId: "abcdefghijkl", epoch: 1 } as const;
const SUBJECTS = subjectsOf(SCOPE.sessionId);

/**
 * A session with its real parts in this process, whose sinks come, go, stand still and are slow as a test likes. The test is the
 * coordinator.
 */
export class LaneLab {
  readonly events: SourceEvent[] = [];
  readonly sinks: LabSink[] = [];
  readonly #broker: SessionBroker;
  readonly #stop = new AbortController();
  readonly #clock: Clock;
  readonly #seals: SealLab | undefined;
  readonly #onPublish: PublishWatch;
  readonly #watchers = new Set<() => void>();
  #session: SourceSession | undefined;

  private constructor(clock: Clock, broker: SessionBroker, { seals = usualSeals(), onPublish }: LaneLabOptions) {
    this.#clock = clock;
    this.#broker = broker;
    this.#seals = seals;
    this.#onPublish = onPublish ?? (() => undefined);
  }

  static async open(options: LaneLabOptions): Promise<LaneLab> {
    const { source, sinks, policy = {}, factor = 20, delta } = options;
    const lab = new LaneLab(quickClock(factor), await openSessionBroker(64 * 1024), options);
    onTestFinished(() => lab.close());
    const { signal } = lab.#stop;
    const up = await lab.#broker.connect();
    const reports = await up.subscribe(upWildcard(SUBJECTS), { signal, queueBytes: 64 * 1024 * 1024 });
    for (const folder of sinks) lab.sinks.push(await lab.#sink(lab.sinks.length, folder, false));
    lab.#session = new SourceSession(
      {
        scope: SCOPE,
        tree: { root: Buffer.from(source), delta },
        threads: new TreeThreads(),
        wire: {
          transport: new WatchedTransport(await lab.#broker.connect(), lab.#onPublish),
          subjects: SUBJECTS,
          seal: lab.#seals?.source(SCOPE),
        },
        reports,
        sinks: lab.sinks.map(({ member }) => member),
        expected: [],
        // All share one process and a hastened clock: a busy machine must not make a straggler of a sink.
        policy: { stragglers: "wait", ...policy },
        runtime: { clock: lab.#clock, signal, emit: (event) => lab.#heard(event) },
        fileEvents: false,
        tellProgress: () => undefined,
      },
      CopyWork,
    );
    return lab;
  }

  get session(): SourceSession {
    if (this.#session === undefined) throw new Error("The lab is not open");
    return this.#session;
  }

  async run(): Promise<SessionSummary> {
    const summary = await this.session.run();
    await this.close();
    return summary;
  }

  /** A sink that comes when the session runs already. */
  async join(folder: string, plan?: FaultPlan): Promise<LabSink> {
    const sink = await this.#sink(this.sinks.length, folder, true, plan);
    this.sinks.push(sink);
    this.session.sinkJoined(sink.member, true);
    return sink;
  }

  /** Kills a sink and starts it again on the same folder. */
  async restart(index: number, folder: string): Promise<void> {
    await this.sinks[index]?.kill();
    const again = await this.#sink(index, folder, true);
    this.sinks[index] = again;
    this.session.sinkJoined(again.member, true);
  }

  /** Resolves with the first event, from the beginning, that `is` so. */
  async until(is: (event: SourceEvent) => boolean): Promise<SourceEvent> {
    for (let next = 0; ; ) {
      for (; next < this.events.length; next += 1) {
        const event = this.events[next];
        if (event !== undefined && is(event)) return event;
      }
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  /** Time of the session, as its last progress has it. */
  get elapsedMs(): number {
    return this.events.findLast((event) => event.type === "progress")?.progress.elapsedMs ?? 0;
  }

  /** What was said of a sink, in order. */
  statesOf(index: number): string[] {
    const { name } = this.sinks[index]?.member ?? {};
    return this.events.flatMap((event) => (event.type === "sinkstate" && event.name === name ? [event.state] : []));
  }

  async close(): Promise<void> {
    if (!this.#stop.signal.aborted) this.#stop.abort(new FanfoldError("closed", "The session is over"));
    for (const sink of this.sinks) sink.gate.thaw();
    await Promise.all(this.sinks.map((sink) => sink.kill()));
  }

  #heard(event: SourceEvent): void {
    this.events.push(event);
    for (const watcher of this.#watchers) watcher();
  }

  async #sink(index: number, path: string, late: boolean, plan: FaultPlan = () => undefined): Promise<LabSink> {
    const { signal } = this.#stop;
    const named = { id: `sink0${index}`, name: `sink ${index}` };
    const member = this.#seals?.member(named) ?? named;
    const gate = new GateTransport(new FaultTransport(await this.#broker.connect(), plan));
    const onFailure = (): void => undefined;
    const folder = openSinkFolder(path, systemRandom, { clock: this.#clock, bootId: "this boot" });
    const intake = await Intake.open(
      { transport: gate, subjects: SUBJECTS, memberId: member.id, signal, onFailure },
      !late,
    );
    const copy = new SinkEpoch({
      scope: SCOPE,
      task: usualTask(folder, this.#seals?.signs(member, SCOPE)),
      feed: engineFeed(),
      up: {
        transport: new WatchedTransport(gate, this.#onPublish),
        subject: upSubject(SUBJECTS, member.id),
        seal: this.#seals?.sink(SCOPE, member.id),
      },
      runtime: { clock: this.#clock, signal, emit: () => undefined },
      late,
      onLane: () => void intake.takeData(false),
      onFailure,
    });
    intake.setTarget((payload, isOwnSubject) => copy.take(payload, isOwnSubject));
    let killed: Promise<void> | undefined;
    const kill = async (): Promise<void> => {
      intake.setTarget(() => undefined);
      await copy.stop();
      folder[Symbol.dispose]();
    };
    return {
      member,
      gate,
      kill: () => {
        killed ??= kill();
        return killed;
      },
    };
  }
}
