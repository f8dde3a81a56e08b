import { splitPath } from "../../protocol/names/relative-path.ts";

/** What becomes of symbolic links: all carried, those that stay in the tree, or none. */
export type LinkPolicy = "keep" | "safe" | "skip";
export const LINK_POLICIES: readonly LinkPolicy[] = ["keep", "safe", "skip"];

const SLASH = 0x2f;

/**
 * Whether a link leads out of the tree, as far as can be said without following any: an absolute target does, and one with
 * more `..` in front than there are directories around the link. A `..` behind a name counts as leading out: where it goes
 * depends on what stands under that name.
 *
 * @param directory relative path of the directory the link is in
 */
export function leadsOut(directory: Uint8Array, target: Uint8Array): boolean {
  if (target[0] === SLASH) return true;
  let up = 0;
  let hasNames = false;
  for (const name of splitPath(target)) {
    const text = name.length <= 2 ? Buffer.from(name).toString("latin1") : "";
    if (name.length === 0 || text === ".") continue;
    if (text !== "..") hasNames = true;
    else if (hasNames) return true;
    else up += 1;
  }
  return up > splitPath(directory).length;
}
