import type { Clock } from "../../lib/clock.ts";
import type { CompressionMode } from "../../protocol/compression-mode.ts";
import { COMPRESSED_CONTENT_BYTES_MIN, compressContent, letGo } from "../../protocol/frame/compression.ts";
import { contentOf, replaceContent } from "../../protocol/frame/frame.ts";
import { CompressionChoice } from "./compression-choice.ts";
import type { BuiltFrame } from "./frame-builder.ts";

/**
 * Compresses data frames in the thread that reads files, between one read and the next. That thread has time for it exactly
 * when it would have waited. So frames need no order of their own, and the thread that publishes is never held.
 */
export class FrameCompressor {
  readonly #clock: Clock;
  readonly #choice: CompressionChoice;
  #waitsSinceMs: number | undefined;

  constructor(mode: CompressionMode, clock: Clock) {
    this.#clock = clock;
    this.#choice = new CompressionChoice(mode);
  }

  /** There is something to read, but no credit to read it. */
  waits(): void {
    this.#waitsSinceMs ??= this.#clock.nowMs();
  }

  /** There is credit again. Was it a link that held it back? */
  goesOn(isHeldByLink: boolean): void {
    if (this.#waitsSinceMs === undefined) return;
    this.#choice.waited(isHeldByLink ? this.#clock.nowMs() - this.#waitsSinceMs : 0);
    this.#waitsSinceMs = undefined;
  }

  /** The frame to publish: compressed in its own buffer, or as it is. */
  pack(built: BuiltFrame): BuiltFrame {
    const packed = this.#choice.next() ? this.#try(built) : built;
    this.#choice.published(packed.frameBytes);
    return packed;
  }

  #try(built: BuiltFrame): BuiltFrame {
    const frame = Buffer.from(built.buffer, 0, built.frameBytes);
    const content = contentOf(frame);
    if (content.length < COMPRESSED_CONTENT_BYTES_MIN) return built;
    const startMs = this.#clock.nowMs();
    const compressed = compressContent(content);
    const frameBytes = compressed === undefined ? built.frameBytes : replaceContent(frame, compressed).length;
    if (compressed !== undefined) letGo(compressed);
    const cost = { contentBytes: content.length, ms: this.#clock.nowMs() - startMs };
    this.#choice.tried(cost, compressed !== undefined);
    return { ...built, frameBytes, savedBytes: built.frameBytes - frameBytes };
  }
}
