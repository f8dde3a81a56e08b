import { splitPath } from "../../protocol/names/relative-path.ts";

/** What becomes of symbolic links: all carried, those that stay in the tree, or none. */
export type LinkPolicy = "keep" | "safe" | "skip";
export const LINK_POLICIES: readonly LinkPolicy[] = ["keep", "safe", "skip"];

const SLASH = 0x2f;

/**
 * Whether a link may lead out of the tree, by its text alone and as `rsync --safe-links` has it since 3.4. A target is safe that
 * is relative, climbs with `..` in front of everything else, and not above the root. A `..` further behind is not: where it goes
 * depends on what stands under the names before it, and that may change. Of several in front the last needs a slash behind it, too.
 *
 * @param directory relative path of the directory the link is in
 */
export function leadsOut(directory: Uint8Array, target: Uint8Array): boolean {
  if (target.length === 0 || target[0] === SLASH) return true;
  const names = splitPath(target).map((name) => Buffer.from(name).toString("latin1"));
  // Slashes in a row are one. An empty last step stands for a slash at the end.
  const steps = names.filter((name, index) => name !== "" || index === names.length - 1);
  const ups = steps.findIndex((step) => step !== "..");
  if (ups === -1) return steps.length > 1 || directory.length === 0;
  return steps.includes("..", ups) || ups > splitPath(directory).length;
}
