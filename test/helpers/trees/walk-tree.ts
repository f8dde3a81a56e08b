import type { TreeScope } from "../../../src/source/walk/tree-scope.ts";
import { TreeWalk } from "../../../src/source/walk/walk.ts";
import type { WalkOutput } from "../../../src/source/walk/walk-output.ts";

/** All of `root` (absolute path, bytes), walked once. */
export function* walkTree(root: Buffer, options: TreeScope = {}): Generator<WalkOutput, void, undefined> {
  using walk = new TreeWalk(root, options);
  yield* walk.run();
}
