import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { at, OWN_FOLDER, pathsIn } from "./tree-differences.ts";

/** Inode, mode, size, time and change time of all that stands in a folder and itself: equal only if nothing was changed. */
export function inodeFacts(folder: string, isOwn: (path: string) => boolean = () => false): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => !isOwn(path));
  return Object.fromEntries(
    ["", ...paths.sort()].map((path) => {
      const { ino, mode, size, mtimeNs, ctimeNs } = lstatSync(join(folder, path), { bigint: true });
      return [path, `${ino} ${mode.toString(8)} ${size} ${mtimeNs} ${ctimeNs}`];
    }),
  );
}

/**
 * Which inode stands under each name, and when it was last changed: equal only if nothing was touched. `shut: false`: not when
 * a directory was changed that its owner may not look into, which an ordinary user's sink opens for as long as it works.
 */
export function inodesOf(folder: string, { shut = true }: { readonly shut?: boolean } = {}): string[] {
  return pathsIn(folder, [OWN_FOLDER]).map((path) => {
    const stats = lstatSync(at(folder, path), { bigint: true });
    const isShut = stats.isDirectory() && (Number(stats.mode) & 0o500) !== 0o500;
    // Files of its own come and go in the folder itself.
    const isSettled = path.length > 0 && (shut || !isShut);
    return `${path.toString("latin1")} ${stats.ino}${isSettled ? ` ${stats.ctimeNs}` : ""}`;
  });
}
