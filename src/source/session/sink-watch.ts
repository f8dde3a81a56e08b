import type { ErrorCode } from "../../lib/errors.ts";
import { STREAM_DATA } from "../../protocol/frame/frame.ts";
import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import type { Transport } from "../../transport/transport.ts";
import { AWAY_SILENCE_MS, LADDER_LOOK_MS, Ladder, type StragglerPolicy } from "./ladder.ts";
import { LinkWatch } from "./link-watch.ts";
import type { Absence, SinkRoster } from "./sink-roster.ts";
import type { Streams } from "./streams.ts";

interface SinkWatchOptions {
  readonly roster: SinkRoster;
  readonly streams: Streams;
  readonly transport: Transport;
  readonly sinkTimeoutMs: number;
  readonly stragglers: StragglerPolicy;
  readonly nowMs: number;
  readonly onState: (sinkId: string, state: "lagging" | "receiving" | "away", message: string) => void;
  /** It is to be served on a lane. */
  readonly onDetached: (sinkId: string) => void;
  readonly onFailed: (sinkId: string, code: ErrorCode, reason: string) => void;
}

/** A sink whose control connection is gone, and that says nothing for this long, is away. It reports each second. */
const LEFT_SILENCE_MS = 3_000;
/** A sink that reports, but gets nothing done for this long, has failed. */
export const STUCK_MS_MAX = 600_000;
/** Looks that are further apart mean that this process stood still: a machine asleep, SIGSTOP. */
export const STALL_MS = 2_000 + LADDER_LOOK_MS;

/** Who is there, who is slow, who is away and for how long: the ladder (D8), and what follows from its steps. */
export class SinkWatch {
  readonly #options: SinkWatchOptions;
  readonly #ladder: Ladder;
  readonly #link: LinkWatch;
  #lookedMs: number;

  constructor(options: SinkWatchOptions) {
    this.#options = options;
    this.#ladder = new Ladder(options.stragglers);
    this.#link = new LinkWatch(options.transport);
    this.#lookedMs = options.nowMs;
  }

  look(nowMs: number): void {
    const { roster, streams } = this.#options;
    const passedMs = nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    streams.tick(nowMs);
    if (passedMs > STALL_MS || !this.#link.isUp) roster.allHeard(nowMs, passedMs);
    else {
      this.#climb(nowMs);
      for (const sinkId of roster.live()) this.#lookAt(sinkId, nowMs);
      this.#freeOthers();
    }
    this.#giveUp(nowMs);
  }

  /** The ladder, for the sinks of the main stream. */
  #climb(nowMs: number): void {
    const { roster, streams, stragglers, onState, onDetached, onFailed } = this.#options;
    const sinks = [...streams.main.sinkIds]
      .filter((sinkId) => roster.awayOf(sinkId) === undefined)
      .map((sinkId) => ({
        sinkId,
        silentMs: roster.silentMs(sinkId, nowMs),
        hashing: roster.isHashing(sinkId),
        hold: streams.main.hold(sinkId),
      }));
    for (const { sinkId, to } of this.#ladder.look(nowMs, sinks)) {
      if (to === "detached" && stragglers === "drop")
        onFailed(sinkId, "sinks-lost", "It was too slow for the others, and --stragglers drop removes such sinks");
      else if (to === "detached") onDetached(sinkId);
      else if (to === "away") this.#silent(sinkId, nowMs);
      else {
        roster.setLagging(sinkId, to === "lagging");
        onState(sinkId, to === "lagging" ? to : "receiving", to === "lagging" ? LAGS : "it keeps up again");
      }
    }
  }

  #lookAt(sinkId: string, nowMs: number): void {
    const { roster } = this.#options;
    if (roster.awayOf(sinkId) !== undefined) return;
    const silentMs = roster.silentMs(sinkId, nowMs);
    const left = roster.leftOf(sinkId);
    if (left !== undefined && silentMs >= LEFT_SILENCE_MS) this.#putAway(sinkId, left);
    else if (silentMs >= AWAY_SILENCE_MS) this.#silent(sinkId, nowMs);
  }

  /** Why it left says more than its silence, where that is known. */
  #silent(sinkId: string, nowMs: number): void {
    const { roster } = this.#options;
    const reason = `nothing was heard from it for ${seconds(roster.silentMs(sinkId, nowMs))}`;
    this.#putAway(sinkId, roster.leftOf(sinkId) ?? { code: "sinks-lost", reason, sinceMs: nowMs });
  }

  #putAway(sinkId: string, absence: Absence): void {
    const { roster, onState, sinkTimeoutMs } = this.#options;
    roster.putAway(sinkId, absence);
    onState(sinkId, "away", `${absence.reason}; the source waits ${seconds(sinkTimeoutMs)} for it`);
  }

  /**
   * Sinks that are away hold nobody: not the others of the main stream, nor those that wait for a lane. While there is
   * nobody whom they hold they keep their stream, and go on where they were if it was only the network.
   */
  #freeOthers(): void {
    const { roster, streams } = this.#options;
    const othersRun = [...streams.main.sinkIds].some((sinkId) => roster.awayOf(sinkId) === undefined);
    for (const sinkId of roster.live()) {
      const stream = roster.streamOf(sinkId);
      if (stream === undefined || roster.awayOf(sinkId) === undefined) continue;
      if (stream === STREAM_DATA ? !othersRun : !streams.lanesWait) continue;
      roster.unserve(sinkId);
      streams.drop(sinkId);
    }
  }

  #giveUp(nowMs: number): void {
    const { roster, streams, sinkTimeoutMs, onFailed } = this.#options;
    for (const sinkId of roster.live()) {
      const away = roster.awayOf(sinkId);
      const stream = roster.streamOf(sinkId);
      if (away !== undefined && nowMs - away.sinceMs >= sinkTimeoutMs) {
        onFailed(
          sinkId,
          "sinks-lost",
          `It went away (${away.reason}) and did not come back within ${seconds(sinkTimeoutMs)}`,
        );
      } else if (
        stream !== undefined &&
        streams.find(sinkId, stream)?.waitsFor(sinkId) === true &&
        roster.stillMs(sinkId, nowMs) >= stuckMs(roster.limitOf(sinkId))
      ) {
        onFailed(
          sinkId,
          "sinks-lost",
          `It reported, but made no progress for ${seconds(stuckMs(roster.limitOf(sinkId)))}`,
        );
      }
    }
  }
}

/** One that holds itself to a rate may need long for one frame. */
function stuckMs(bytesPerSecond: number | null): number {
  return STUCK_MS_MAX + (bytesPerSecond === null ? 0 : (FRAME_BYTES_MAX / bytesPerSecond) * 1000);
}

const LAGS = "the others wait for it, or it does not answer";

function seconds(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1000)} s`;
}
