import { buildFrame, type FrameType, type StreamScope } from "../../protocol/frame/frame.ts";
import type { ReadOutput } from "../read/file-reader.ts";
import { creditCost, wireCost } from "../read/frame-builder.ts";
import type { ProgressTally } from "../session/progress-tally.ts";
import { COSTS_NOTHING, type CreditFlow } from "./credit-flow.ts";
import type { Outbox } from "./outbox.ts";

interface FrameSenderOptions {
  readonly scope: StreamScope;
  readonly tally: ProgressTally;
  /** A data frame was built, and counts for so much. */
  readonly onBuilt?: ((costBytes: number) => void) | undefined;
  readonly credit: CreditFlow;
  readonly outbox: Outbox;
}

/** What is done when a mark is stored, and what to do when it is on its way. */
interface MarkOptions {
  /** Bytes as the pages announced them, and files. */
  readonly done?: { readonly doneBytes: number; readonly doneFiles: number };
  readonly onPublish?: () => void;
}

/** Puts the frames of one stream on their way: each is kept for repairs until all its sinks have stored it. */
export class FrameSender {
  readonly #options: FrameSenderOptions;

  constructor(options: FrameSenderOptions) {
    this.#options = options;
  }

  /** A data frame as the reader built it. */
  data({ frame: built, current, doneBytes, doneFiles }: Extract<ReadOutput, { type: "frame" }>): void {
    const { credit, outbox, tally, onBuilt } = this.#options;
    const { buffer, frameBytes, contentBytes, savedBytes } = built;
    const frame = Buffer.from(buffer, 0, frameBytes);
    const costBytes = creditCost(built);
    credit.built(costBytes);
    onBuilt?.(wireCost(built));
    const onSequence = (sequence: number) => {
      tally.sent(built, current);
      credit.published({ sequence, costBytes, doneBytes, doneFiles, frame, contentBytes, savedBytes });
    };
    outbox.data({ frame, onSequence });
  }

  /** A page or mark before the data that waits, or behind it: no credit either way. */
  mark(queue: "control" | "data", type: FrameType, table: Uint8Array, { done, onPublish }: MarkOptions = {}): void {
    const { credit, outbox } = this.#options;
    const { doneBytes, doneFiles } = done ?? { doneBytes: 0, doneFiles: 0 };
    const frame = this.#frame(type, table);
    const onSequence = (sequence: number) => {
      credit.published({ sequence, ...COSTS_NOTHING, doneBytes, doneFiles, frame });
      onPublish?.();
    };
    outbox[queue]({ frame, onSequence });
  }

  async heartbeat(): Promise<void> {
    await this.#options.outbox.heartbeat(this.#frame("heartbeat", new Uint8Array(0)));
  }

  #frame(type: FrameType, table: Uint8Array): Buffer {
    return buildFrame({ type, ...this.#options.scope }, table);
  }
}
