import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * All there is to know of a small tree: names, contents, targets, inodes, links, owners, modes and times. The change time of an
 * inode cannot be set back, so that extended attributes and whatever else was altered and restored shows as well.
 */
export function fullTreeFacts(folder: string): string {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return ["", ...paths.sort()].map((path) => `${path} ${factsOf(join(folder, path))}`).join("\n");
}

function factsOf(path: string): string {
  const { ino, mode, nlink, uid, gid, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
  const kind = Number(mode) & 0o170000;
  const content = kind === 0o100000 ? readFileSync(path, "hex") : kind === 0o120000 ? readlinkSync(path) : "";
  return [ino, mode.toString(8), nlink, uid, gid, size, mtimeNs, ctimeNs, content].join(" ");
}
