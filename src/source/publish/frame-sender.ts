import { buildFrame, type FrameType, type StreamScope } from "../../protocol/frame/frame.ts";
import { creditCost, tableCost, wireCost } from "../read/frame-builder.ts";
import type { Done, ReadOutput } from "../read/read-output.ts";
import type { ProgressTally } from "../session/progress-tally.ts";
import { type CreditFlow, NO_CONTENT } from "./credit-flow.ts";
import type { Outbox } from "./outbox.ts";

interface FrameSenderOptions {
  readonly scope: StreamScope;
  readonly tally: ProgressTally;
  /** A data frame was built, and counts for so much. */
  readonly onBuilt?: ((costBytes: number) => void) | undefined;
  readonly credit: CreditFlow;
  readonly outbox: Outbox;
}

type ReadTrailer = Extract<ReadOutput, { type: "trailer" }>;

/** Puts the frames of one stream on their way: each is kept for repairs until all its sinks have stored it. */
export class FrameSender {
  readonly #options: FrameSenderOptions;

  constructor(options: FrameSenderOptions) {
    this.#options = options;
  }

  /** A data frame as the reader built it. */
  data({ frame: built, current, doneBytes, doneFiles }: Extract<ReadOutput, { type: "frame" }>): void {
    const { credit, outbox, tally, onBuilt } = this.#options;
    const { buffer, frameBytes, contentBytes, savedBytes, keptBytes } = built;
    const frame = Buffer.from(buffer, 0, frameBytes);
    const costBytes = creditCost(built);
    credit.built(costBytes);
    onBuilt?.(wireCost(built));
    const onSequence = (sequence: number, sent: Buffer) => {
      tally.sent(built, current);
      const content = { contentBytes, savedBytes, keptBytes };
      credit.published({ sequence, costBytes, doneBytes, doneFiles, frame: sent, ...content });
    };
    outbox.data({ frame, onSequence });
  }

  /** A trailer as the reader gave it: behind the data of its page, and for credit, as the pages that need no data are many. */
  trailer({ body, ...done }: ReadTrailer): void {
    this.#table("trailer", body, done);
  }

  /** A slice of a recipe, or padding, as the reader gave it: for credit, too. */
  table({ type, body }: { readonly type: "recipe" | "padding"; readonly body: Uint8Array }): void {
    this.#table(type, body, { doneBytes: 0, doneFiles: 0 });
  }

  /** A page or mark before the data that waits, or behind it: no credit either way. */
  mark(queue: "control" | "data", type: FrameType, table: Uint8Array, onPublish?: () => void): void {
    const { credit, outbox } = this.#options;
    const onSequence = (sequence: number, frame: Buffer) => {
      credit.published({ sequence, costBytes: 0, doneBytes: 0, doneFiles: 0, frame, ...NO_CONTENT });
      onPublish?.();
    };
    outbox[queue]({ frame: this.#frame(type, table), onSequence });
  }

  async heartbeat(): Promise<void> {
    await this.#options.outbox.heartbeat(this.#frame("heartbeat", new Uint8Array(0)));
  }

  #table(type: FrameType, body: Uint8Array, { doneBytes, doneFiles }: Done): void {
    const { credit, outbox } = this.#options;
    const costBytes = tableCost(body);
    credit.built(costBytes);
    const onSequence = (sequence: number, frame: Buffer) =>
      credit.published({ sequence, costBytes, doneBytes, doneFiles, frame, ...NO_CONTENT });
    outbox.data({ frame: this.#frame(type, body), onSequence });
  }

  #frame(type: FrameType, table: Uint8Array): Buffer {
    return buildFrame({ type, ...this.#options.scope }, table);
  }
}
