import { createHash } from "node:crypto";
import { type FilePath, pathIn } from "../../lib/folder/file-path.ts";
import type { TreeScope } from "../walk/tree-scope.ts";

interface RememberedTree extends Pick<TreeScope, "filters" | "oneFileSystem" | "links"> {
  /** Canonical path, bytes. */
  readonly root: Buffer;
}

/**
 * Where the content hashes of a tree are remembered, in the state directory of its source. Each choice of files has a place of
 * its own: what one leaves out, another one must not forget.
 */
export function memoryPath(stateDir: FilePath, { root, filters = [], oneFileSystem, links }: RememberedTree): Buffer {
  const hash = createHash("sha256")
    .update(root)
    .update(JSON.stringify([oneFileSystem === true, links ?? "keep"]));
  for (const { rules } of filters) {
    hash.update("\0");
    for (const { isExclude, pattern } of rules) hash.update(`\0${isExclude ? "-" : "+"}`).update(pattern.bytes);
  }
  return pathIn(stateDir, "hashes", hash.digest("hex"));
}
