import type { EventHub } from "../lib/async/event-hub.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { AgeKey } from "../lib/crypto/age.ts";
import { type ErrorCode, FanfoldError } from "../lib/errors.ts";
import { type FilePath, shownPath } from "../lib/folder/file-path.ts";
import { BufferPool } from "../lib/memory/buffer-pool.ts";
import { programPath } from "../lib/programs/run-program.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import type { ClientCertificate } from "../lib/tls/client-certificate.ts";
import { askedContact, type Contact, type ContactOptions, contactOf } from "../member/contact.ts";
import type { HelloDraft } from "../member/credential.ts";
import { labelsOf } from "../member/labels.ts";
import { Bandwidth, type BandwidthOptions, limitPlanOf } from "../member/limit/bandwidth.ts";
import { tellLimit } from "../member/limit/tell-limit.ts";
import { MEMBER_DEFAULTS } from "../member/member-defaults.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink } from "../member/steady-link.ts";
import type { LimitPlan } from "../protocol/bandwidth/limit-plan.ts";
import { PAYLOAD_BUFFER_BYTES, PROTOCOL_VERSION, SUBSCRIBER_QUEUE_BYTES } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages/control.ts";
import type { DeleteLimit } from "../protocol/messages/deletion.ts";
import type { SinkEvent } from "../protocol/messages/events.ts";
import type { SinkOutcome } from "../protocol/messages/progress.ts";
import { errorWithoutNames } from "../protocol/messages/without-names.ts";
import type { Durability } from "./disk/entry-sync.ts";
import { readAgeKeys } from "./own/age-keys.ts";
import { openSinkFolder, type SinkFolder } from "./own/sink-folder.ts";
import { SpaceWatch } from "./own/space-watch.ts";
import { FolderTurns } from "./session/folder-turns.ts";
import { openSinkSession } from "./session/sink-session.ts";
import { SnapshotCommand } from "./session/snapshot-command.ts";
import { Pruner, type SnapshotRetention } from "./snapshots/pruner.ts";
import { LATEST } from "./snapshots/snapshot-name.ts";
import { SnapshotStore } from "./snapshots/snapshot-store.ts";
import { READ_LIMIT_DEFAULT, SelfCheck } from "./verify/self-check.ts";

/** Its rate is that of what it takes in. */
export interface SinkOptions extends ContactOptions, BandwidthOptions {
  /** For a broker that asks its clients for certificates. */
  readonly brokerCertificate?: ClientCertificate;
  /** Folder to rebuild the tree in; made when it is missing. */
  readonly folder: FilePath;
  /** @default "default" */
  readonly session?: string;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Goes on with the next session of this name, until aborted. @default false */
  readonly stay?: boolean;
  /** With `stay`: reads its copy again so long after the last time, while nothing is copied. Milliseconds. @default never */
  readonly verifyEveryMs?: number;
  /** How fast it reads its copy again, where nobody orders otherwise: as `bytesPerSecondMax`. @default "50M" */
  readonly verifyBytesPerSecondMax?: number | string;
  /** Takes the tree of another source than the folder's first one. @default false */
  readonly acceptNewSource?: boolean;
  /** Public key of the only source whose tree a folder takes that has none yet: 64 hex digits. */
  readonly trustSource?: string;
  /** A file of secret age keys. It then takes only copies that their source has encrypted for one of these. */
  readonly ageKeyFile?: FilePath;
  /** Deletes nothing that the source has not, though it asks for it. @default false */
  readonly noDelete?: boolean;
  /** Deletes no more at a time than this, whatever the source allows. No limit of its own when absent. */
  readonly maxDelete?: DeleteLimit;
  /** Gives files to the users and groups with the source's numbers, whatever their names are here; as root. @default false */
  readonly numericIds?: boolean;
  /** Makes devices; as root. @default false */
  readonly specials?: boolean;
  /**
   * When stored data is forced to the disk. session: now and then, and before the copy is done. file: also each file,
   * before it gets its name. none: never, so nothing of the copy is trusted after a loss of power. @default "session"
   */
  readonly durability?: Durability;
  /** Longest wait for the coordinator, at first and whenever it is lost, in milliseconds. As long as it takes when absent. */
  readonly connectTimeoutMs?: number;
  /** Whether to emit one event a file. @default false */
  readonly fileEvents?: boolean;
  /** Keeps each proven state of the tree as a folder of its own, beside those before it. @default false */
  readonly snapshots?: boolean;
  /** With snapshots: which of them stay, behind each proof. @default all of them */
  readonly retention?: SnapshotRetention | undefined;
  /**
   * A program that makes a snapshot of the folder as a whole, run when a copy is proven that changed something. It gets no
   * arguments. `FANFOLD_SNAPSHOT_…` in its environment, and JSON on its standard input, say what was copied.
   */
  readonly snapshotCommand?: FilePath;
  /** What that program has besides in its environment. @default nothing */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Aborted: the sink leaves in order, and the others are told why. */
  readonly signal: AbortSignal;
  /** Where time comes from. @default the clock of the system */
  readonly clock?: Clock;
  /** Where random values come from. @default those of the system */
  readonly random?: Random;
}

/** A sink at work. Its result is the outcome of its session, proven or incomplete; a failure rejects. */
export type SinkRun = MemberRun<SinkEvent, SinkOutcome>;

/** All that may wait for the engine and in it, whatever a source sends: shared memory that is let go stays for long. */
const BUFFERS_KEPT_MAX = Math.ceil((2 * SUBSCRIBER_QUEUE_BYTES) / PAYLOAD_BUFFER_BYTES);

/** Rebuilds the tree of a session in a folder. It starts at once; disposing ends it in order. */
export function runSink(options: SinkOptions): SinkRun {
  return startMember(options.signal, ({ hub, signal }) => new SinkProgram({ ...options, signal }, hub).run());
}

/** With `--stay`, endings after which the sink goes on: the session was lost, the sink's own folder is well. */
const SESSION_LOST: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "source-lost",
  "cancelled",
  "coordinator-lost",
  "broker-lost",
  "broker-unreachable",
  "frames-lost",
  "sinks-lost",
  "digest-mismatch",
  "damaged",
  "not-recipient",
]);

/** Where the copies go. */
interface CopyPlace {
  readonly folder: SinkFolder;
  readonly snapshots: SnapshotStore | undefined;
  /** There when it keeps snapshots. */
  readonly pruner: Pruner | undefined;
  readonly command: SnapshotCommand | undefined;
  readonly space: SpaceWatch;
  readonly check: SelfCheck;
  readonly turns: FolderTurns;
  /** Its age keys, at most AGE_KEYS_MAX. */
  readonly ageKeys: readonly AgeKey[];
  /** How fast it may be filled, when nobody orders otherwise. */
  readonly option: LimitPlan | undefined;
}

function firstMade(folder: Buffer, name: string): SinkEvent {
  const message = `"${shownPath(folder)}" keeps snapshots from now on: what was in it is now in "${name}", to which "${LATEST}" leads`;
  return { type: "warning", code: "first-snapshot", message };
}

class SinkProgram {
  readonly #options: SinkOptions;
  readonly #hub: EventHub<SinkEvent>;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: SinkOptions, hub: EventHub<SinkEvent>) {
    this.#options = options;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async run(): Promise<SinkOutcome> {
    const asked = askedContact(this.#options);
    const option = limitPlanOf(this.#options);
    const { ageKeyFile } = this.#options;
    const ageKeys =
      ageKeyFile === undefined
        ? []
        : await readAgeKeys(ageKeyFile, { clock: this.#clock, signal: this.#options.signal });
    using folder = openSinkFolder(this.#options.folder, this.#random);
    // Also of a later process that has no keys.
    if (ageKeys.length > 0) folder.hideNames();
    using snapshots = this.#snapshots(folder);
    await using pruner = this.#pruner(folder, snapshots);
    pruner?.resume();
    const command = this.#command(folder);
    await using check = this.#check(folder, pruner);
    const turns = new FolderTurns(folder, check);
    turns.lend();
    const contact = contactOf(asked, folder.coordinators, (event) => this.#hub.emit(event));
    const space = new SpaceWatch({ folder: folder.path, clock: this.#clock });
    await space.look();
    for (;;) {
      const place = { folder, snapshots, pruner, command, space, check, turns, option, ageKeys };
      const outcome = await this.#serve(contact, place);
      if (outcome === undefined) continue;
      await pruner?.done();
      return outcome;
    }
  }

  /** @throws FanfoldError `usage` */
  #check(folder: SinkFolder, pruner: Pruner | undefined): SelfCheck {
    const { verifyEveryMs: everyMs, verifyBytesPerSecondMax = READ_LIMIT_DEFAULT, signal, stay } = this.#options;
    if (everyMs !== undefined && stay !== true)
      throw new FanfoldError(
        "usage",
        "cannot use --verify-every without --stay: a sink that does not wait reads nothing",
      );
    return new SelfCheck({
      ...{ folder, everyMs, signal, clock: this.#clock },
      plan: limitPlanOf({ bytesPerSecondMax: verifyBytesPerSecondMax }),
      settled: async () => await pruner?.done(),
      emit: (event) => this.#hub.emit(event),
    });
  }

  /** @throws FanfoldError `usage` */
  #command(folder: SinkFolder): SnapshotCommand | undefined {
    const { snapshotCommand, snapshots, environment = {} } = this.#options;
    if (snapshotCommand === undefined) return undefined;
    if (snapshots === true)
      throw new FanfoldError("usage", "cannot use --snapshot-command with --snapshots: either of them makes snapshots");
    const runtime = { clock: this.#clock, emit: (event: SinkEvent) => this.#hub.emit(event) };
    return new SnapshotCommand({ program: programPath(snapshotCommand), environment, folder, runtime });
  }

  /** @throws FanfoldError `folder-snapshots` for a folder that keeps them when this sink does not */
  #snapshots(folder: SinkFolder): SnapshotStore | undefined {
    if (this.#options.snapshots === true) {
      const store = SnapshotStore.open(folder, this.#clock);
      if (store.first !== undefined) this.#hub.emit(firstMade(folder.path, store.first));
      return store;
    }
    if (!folder.keepsSnapshots) return undefined;
    const said = `cannot copy into "${shownPath(folder.path)}": it keeps snapshots, and a plain copy would be written beside them`;
    throw new FanfoldError(
      "folder-snapshots",
      `${said}; start the sink with --snapshots, or give it another folder ("${LATEST}" in this one is the newest copy)`,
    );
  }

  #pruner({ path: folder }: SinkFolder, snapshots: SnapshotStore | undefined): Pruner | undefined {
    if (snapshots === undefined) return undefined;
    return new Pruner({
      ...this.#options.retention,
      folder,
      clock: this.#clock,
      emit: (event) => this.#hub.emit(event),
    });
  }

  /** Takes part in one session after another; undefined when one was lost and it is worth joining anew. */
  async #serve(
    { address, onWelcome }: Contact,
    { folder, snapshots, pruner, command, space, check, turns, option, ageKeys }: CopyPlace,
  ): Promise<SinkOutcome | undefined> {
    const { stay = false, fileEvents = false, acceptNewSource = false, connectTimeoutMs, signal } = this.#options;
    const { trustSource, brokerCertificate } = this.#options;
    const { numericIds = false, specials = false, durability = "session" } = this.#options;
    const [clock, random] = [this.#clock, this.#random];
    const deletion = { forbidden: this.#options.noDelete === true, limit: this.#options.maxDelete };
    const emit = (event: SinkEvent) => this.#hub.emit(event);
    let back: Hello["back"];
    const buffers = new BufferPool({ bufferBytes: PAYLOAD_BUFFER_BYTES, keptMax: BUFFERS_KEPT_MAX });
    using bandwidth = new Bandwidth({ option, clock, onChange: (limit) => tellLimit(limit, { emit, link }) });
    const link = new SteadyLink({
      address,
      connectTimeoutMs,
      emit,
      signal,
      clock,
      random,
      credential: { key: folder.key, token: this.#options.token },
      onWelcome,
      onLimit: (limit) => bandwidth.order(limit),
      onVerify: (order) => check.order(order),
      hello: () => ({ ...this.#hello({ folder, snapshots, space, ageKeys }), ...(back === undefined ? {} : { back }) }),
      lostTimeoutMs: () => connectTimeoutMs,
    });
    using _watch = space.watch((free) => link.send({ type: "status", free }));
    using _check = check.tellBy((message) => link.send(message));
    bandwidth.begin();
    let isWelcomed = false;
    try {
      for (let welcome = await link.welcome(); ; ) {
        isWelcomed = true;
        const { sessionId } = welcome;
        const options = {
          ...{ link, address, brokerCertificate, welcome },
          ...{ folder, snapshots, pruner, command, space, turns, acceptNewSource, trustSource, ageKeys, stay },
          copies: { fill: { numericIds, specials, durability }, deletion, fileEvents },
          buffers,
          bandwidth,
          runtime: { clock, emit, signal },
          random,
          onCopy: (epoch: number | undefined) => {
            back = epoch === undefined ? undefined : { sessionId, epoch };
          },
        };
        const opened = await link.unlessWelcomed(signal, (opening) => openSinkSession(options, opening));
        if ("type" in opened) {
          welcome = opened;
          continue;
        }
        await using session = opened;
        const end = await session.run();
        if ("type" in end) {
          welcome = end;
          continue;
        }
        emit({ type: "finished", ...end });
        pruner?.proven();
        if (!stay) return end.outcome;
        welcome = await link.welcome();
      }
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      void link.leave(folder.hidesNames ? errorWithoutNames(error) : error);
      // Who was not even let in within the time allowed has waited long enough.
      if (!stay || !isWelcomed || !SESSION_LOST.has(error.code) || signal.aborted) throw error;
      emit({ type: "warning", code: error.code, message: error.message });
      return undefined;
    } finally {
      await link.close();
    }
  }

  #hello({
    folder,
    snapshots,
    space: { space },
    ageKeys,
  }: Pick<CopyPlace, "folder" | "snapshots" | "space" | "ageKeys">): HelloDraft {
    const { name, session, stay } = this.#options;
    return {
      type: "hello",
      version: PROTOCOL_VERSION,
      role: "sink",
      session: session ?? MEMBER_DEFAULTS.session,
      ...labelsOf({ name, folder: folder.hidesNames ? "" : folder.path.toString() }),
      stay: stay ?? false,
      ...(space === undefined ? {} : { free: space }),
      ...(snapshots === undefined ? {} : { snapshots: true }),
      ...(ageKeys.length === 0 ? {} : { recipients: ageKeys.map(({ recipient }) => recipient) }),
    };
  }
}
