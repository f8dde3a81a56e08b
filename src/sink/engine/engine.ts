import type { FanfoldError } from "../../lib/errors.ts";
import type { ChunkRecord } from "../../protocol/frame/data-table.ts";
import type { CheckedFrame } from "../stream/checked-frame.ts";
import type { EngineCounts } from "./engine-counts.ts";

/** What the frames of one stream are for, in order: a copy (copy-engine.ts), or to say what is wanted (dry-engine.ts). */
export interface Engine {
  readonly counts: EngineCounts;
  /** Pages below this one were taken note of by the source: what is wanted of them need not be told again. */
  readonly pages: number;
  /** Digest of the tree, once the end mark came and agreed. */
  readonly digest: Buffer | undefined;
  /** @throws FanfoldError what ends this sink's session */
  accept(checked: CheckedFrame): void;
  /** The failure that a chunk means which is altered however often it comes. */
  alteredError(chunk: ChunkRecord): FanfoldError;
}
