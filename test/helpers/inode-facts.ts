import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

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
