import { statSync } from "node:fs";
import { systemZone } from "../../../lib/calendar.ts";
import { systemCode } from "../../../lib/errors.ts";
import { snapshotAt } from "../../../sink/retention/time-words.ts";
import type { Snapshot } from "../../../sink/snapshots/catalogue.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { ProgramIo } from "../../process/program-io.ts";

const COLON = 0x3a;

/** What was typed as FOLDER:TIME, or as FOLDER, which means the newest snapshot of it. */
interface FolderAt {
  readonly folder: Buffer;
  readonly time: string;
}

/** Names of folders may have colons, as times have: the longest one that is there is the folder. @throws FanfoldError `usage` */
export function parseFolderAt(given: string): FolderAt {
  const bytes = parsePath(given, "the folder");
  if (isDirectory(bytes)) return { folder: bytes, time: "latest" };
  for (let colon = bytes.lastIndexOf(COLON); colon > 0; colon = bytes.lastIndexOf(COLON, colon - 1)) {
    const folder = bytes.subarray(0, colon);
    if (isDirectory(folder)) return { folder, time: bytes.toString("utf8", colon + 1) };
  }
  return { folder: bytes, time: "latest" };
}

/** The snapshot that a person means here and now. @throws FanfoldError `usage`, `snapshot-missing` */
export function snapshotOf(snapshots: readonly Snapshot[], time: string, { clock }: ProgramIo): Snapshot {
  return snapshotAt(snapshots, time, { nowMs: clock.date().getTime(), zone: systemZone() });
}

function isDirectory(path: Buffer): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    return false;
  }
}
