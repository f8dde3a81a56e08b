import type { ProgressTally } from "../session/progress-tally.ts";
import type { CreditFlow } from "./credit-flow.ts";
import type { Outbox } from "./outbox.ts";
import { REPAIRS_OF_FRAME_MAX, RepairRequests } from "./repair-requests.ts";

interface RepairsOptions {
  readonly credit: CreditFlow;
  readonly outbox: Outbox;
  readonly tally: ProgressTally;
  readonly subject: string;
  readonly repairSubject: (sinkId: string) => string;
}

/** Sends again what sinks of one stream miss [P-9]: `RepairRequests` says what, and the window still holds it. */
export class Repairs {
  readonly #options: RepairsOptions;
  readonly #requests = new RepairRequests();

  constructor(options: RepairsOptions) {
    this.#options = options;
  }

  /** A sink says what it misses: all of it, as of now. */
  ask(sinkId: string, ranges: readonly (readonly [number, number])[], nowMs: number): void {
    const exists = this.#options.outbox.nextSequence;
    this.#requests.ask(sinkId, ranges, { nowMs, kept: this.#options.credit.keptFrom(exists), exists });
  }

  forget(sinkId: string): void {
    this.#requests.forget(sinkId);
  }

  /** Sends what is due; returns the sinks that have asked for more than their share. */
  send(nowMs: number): string[] {
    const { credit, outbox, tally, subject, repairSubject } = this.#options;
    const greedy = new Set<string>();
    if (outbox.repairsWait) return [];
    for (const { sequence, sinks } of this.#requests.due(nowMs)) {
      const sent = credit.find(sequence);
      if (sent === undefined) continue;
      for (const { sinkId, times } of sinks) {
        // As if it were not compressed, like what it is compared with.
        const within = this.#requests.spend(sinkId, sent.frame.length + sent.savedBytes, tally.bytesSent);
        if (!within || times > REPAIRS_OF_FRAME_MAX) greedy.add(sinkId);
      }
      const [first, second] = sinks;
      const only = second === undefined ? first : undefined;
      outbox.repair({
        subject: only === undefined ? subject : repairSubject(only.sinkId),
        take: () => this.#take(sequence),
      });
    }
    return [...greedy];
  }

  /** A copy, because the frame's own buffer may be built in anew while this one is still on its way out. */
  #take(sequence: number): Buffer | undefined {
    const sent = this.#options.credit.find(sequence);
    if (sent === undefined) return undefined;
    this.#options.tally.sentAgain(sent);
    return Buffer.from(sent.frame);
  }
}
