import { statSync } from "node:fs";
import { type FilePath, pathBytes, shownPath } from "../folder/file-path.ts";
import { isOpenToOthers } from "../folder/small-file.ts";

/** What to tell a person whose private key others on the machine can read; undefined when nobody can. */
export function openKeyWarning(path: FilePath | undefined, option: string): string | undefined {
  const stats = path === undefined ? undefined : statSync(pathBytes(path), { throwIfNoEntry: false });
  if (path === undefined || stats === undefined || !isOpenToOthers(stats)) return undefined;
  const mode = (stats.mode & 0o777).toString(8).padStart(3, "0");
  return `others on this machine may read the private key ${option} "${shownPath(path)}": found mode ${mode}, want 600; chmod 600 it`;
}
