import { openEngine } from "./open-engine.ts";
import { type SourceFramesOptions, sourceFrames } from "./source-frames.ts";

export interface CopyResult {
  /** Tree digest in hex; undefined when the engine did not get to the end. */
  readonly digest: string | undefined;
  /** Escaped path and message of what the sink could not carry. */
  readonly problems: readonly string[];
  readonly files: number;
}

/** Copies a tree by the real source parts and the real sink parts, without anything between them. */
export function copyInProcess(source: string, sink: string, options: SourceFramesOptions = {}): CopyResult {
  using sinkSide = openEngine(sink);
  for (const payload of sourceFrames(source, options)) sinkSide.accept(payload);
  return {
    digest: sinkSide.engine.digest?.toString("hex"),
    problems: sinkSide.problems.map(({ path, message }) => `${path}: ${message}`),
    files: sinkSide.files.length,
  };
}
