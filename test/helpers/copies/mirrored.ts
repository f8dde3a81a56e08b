import { FanfoldError } from "../../../src/lib/errors.ts";
import type { DeleteLimit, Deletion } from "../../../src/protocol/messages/deletion.ts";
import type { TreeScope } from "../../../src/source/walk/tree-scope.ts";
import { openEngine } from "./open-engine.ts";
import { sourceFrames } from "./source-frames.ts";

export interface MirrorOptions extends TreeScope {
  /** @default all of it */
  readonly limit?: DeleteLimit;
  readonly own?: DeleteLimit;
  readonly forbidden?: boolean;
}

export interface Mirrored {
  readonly deletion: Deletion | undefined;
  readonly deleted: readonly string[];
  readonly problems: readonly string[];
}

/** A copy by the real parts of both ends, and the deletion behind it. */
export function mirror(source: string, sink: string, options: MirrorOptions = {}): Mirrored {
  const { limit = { kind: "percent", value: 100 }, own, forbidden = false, ...tree } = options;
  using engine = openEngine(sink, { deletion: { forbidden, limit: own } });
  for (const payload of sourceFrames(source, { tree, deletion: limit })) engine.accept(payload);
  if (engine.engine.digest === undefined) throw new FanfoldError("internal", "The copy has no digest");
  const result = engine.delete();
  return { ...result, problems: engine.problems.map(({ path, message }) => `${path}: ${message}`) };
}
