import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { SourceEvent } from "../../../src/protocol/messages/events.ts";
import type { SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { subjectsOf, upSubject, upWildcard } from "../../../src/protocol/subjects.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { Intake } from "../../../src/sink/session/intake.ts";
import { SinkEpoch } from "../../../src/sink/session/sink-epoch.ts";
import type { PublishedTree } from "../../../src/source/publish/published-tree.ts";
import { CopyWork } from "../../../src/source/session/copy-work.ts";
import { DryRun } from "../../../src/source/session/dry-run.ts";
import { SourceSession } from "../../../src/source/session/source-session.ts";
import { TreeThreads } from "../../../src/source/tree-threads.ts";
import { quickClock } from "../quick-clock.ts";
import { type FaultPlan, FaultTransport } from "../transports/fault-transport.ts";
import { openSessionBroker, type SessionCarrier } from "../transports/session-broker.ts";
import { type PublishWatch, WatchedTransport } from "../transports/watched-transport.ts";
import { engineFeed, usualTask } from "./copy-parts.ts";
import { type SealLab, usualSeals } from "./seal-lab.ts";

export interface FaultySession {
  readonly source: string;
  readonly sinks: readonly string[];
  /** What happens on the way to sink i, and from it to the source. */
  readonly down: (sink: number) => FaultPlan;
  readonly up: FaultPlan;
  readonly payloadBytes?: number;
  /** What carries it beneath the faults. */
  readonly carrier?: SessionCarrier;
  /** @default one that goes four times as fast as the system's, so that nobody waits for heartbeats and hold-offs */
  readonly clock?: Clock;
  /** What of the source is published, and how. */
  readonly tree?: Omit<PublishedTree, "root">;
  /** Called before each payload of the source is published: the place to change files under it. */
  readonly onPublish?: PublishWatch;
  /** The same of each payload of a sink. */
  readonly onReport?: PublishWatch;
  /** Keys of a sealed session. */
  readonly seals?: SealLab | "off";
  readonly epoch?: number;
  readonly onEvent?: (event: SourceEvent) => void;
  /** Boot of the machine that the sinks believe in. */
  readonly bootId?: string;
  readonly dryRun?: boolean;
}

export interface FaultyResult {
  readonly summary: SessionSummary;
  readonly transports: readonly FaultTransport[];
}

/** Not more: a source tries a repair for some seconds of this clock, and a busy machine may stand still for half of one. */
const CLOCK_FACTOR = 4;
const QUEUE_BYTES = 64 * 1024 * 1024;

/** A whole session, source and sinks in this process with their real threads, over a broker with faults. */
export async function runFaultySession(options: FaultySession): Promise<FaultyResult> {
  const scope = { sessionId: "abcdefghijkl", epoch: options.epoch ?? 1 };
  const seals = options.seals === "off" ? undefined : (options.seals ?? usualSeals());
  const clock = options.clock ?? quickClock(CLOCK_FACTOR);
  const subjects = subjectsOf(scope.sessionId);
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const { signal } = stop;
  const queue = { signal, queueBytes: QUEUE_BYTES };
  const broker = await openSessionBroker(options.payloadBytes ?? 64 * 1024, options.carrier);
  const up = new FaultTransport(await broker.connect(), options.up);
  const reports = await up.subscribe(upWildcard(subjects), queue);
  const transports = [up];
  const members = options.sinks.map((_, index) => {
    const member = { id: `sink0${index}`, name: `sink ${index}` };
    return seals?.member(member) ?? member;
  });
  // Their locks go, so that they can take part in another session.
  using closing = new DisposableStack();
  const copies = await Promise.all(
    members.map(async (member, index) => {
      const { id } = member;
      const down = new FaultTransport(await broker.connect(), options.down(index));
      transports.push(down);
      const moment = { clock: systemClock, bootId: options.bootId ?? "this boot" };
      const folder = openSinkFolder(options.sinks[index] ?? "", systemRandom, moment);
      closing.use(folder);
      // A sink that failed has said so itself.
      const onFailure = (): void => undefined;
      const intake = await Intake.open({ transport: down, subjects, memberId: id, signal, onFailure }, true);
      const copy = new SinkEpoch({
        scope,
        task: usualTask(folder, {
          ...{ session: "in-process", source: "a source", dryRun: options.dryRun === true },
          ...seals?.signs(member, scope),
        }),
        feed: engineFeed(),
        up: {
          transport: new WatchedTransport(await broker.connect(), options.onReport ?? unwatched),
          subject: upSubject(subjects, id),
          seal: seals?.sink(scope, id),
        },
        runtime: { clock, signal, emit: () => undefined },
        late: false,
        onLane: () => void intake.takeData(false),
        onFailure,
      });
      intake.setTarget((payload, isOwnSubject) => copy.take(payload, isOwnSubject));
      return copy;
    }),
  );
  const source = new SourceSession(
    {
      scope,
      tree: { root: Buffer.from(options.source), ...options.tree },
      threads: new TreeThreads(),
      wire: {
        transport: new WatchedTransport(await broker.connect(), options.onPublish ?? unwatched),
        subjects,
        seal: seals?.source(scope),
      },
      reports,
      sinks: members,
      expected: [],
      // All share one process and a hastened clock: a busy machine must not make a straggler of a sink.
      policy: { stragglers: "wait" },
      runtime: { clock, signal, emit: (event) => options.onEvent?.(event) },
      fileEvents: options.onEvent !== undefined,
      tellProgress: () => undefined,
    },
    options.dryRun === true ? DryRun : CopyWork,
  );
  const summary = await source.run();
  // A sink that failed is part of the summary; it waits for a coordinator to tell it so.
  stop.abort(new FanfoldError("closed", "The session is over"));
  await Promise.all(copies.map((copy) => copy.stop()));
  return { summary, transports };
}

const unwatched: PublishWatch = () => undefined;
