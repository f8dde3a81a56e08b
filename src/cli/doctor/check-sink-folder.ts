import {
  accessSync,
  constants,
  lstatSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { reasonOf, systemCode } from "../../lib/errors.ts";
import { pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { abilityFindings, skippedAbilities } from "./file-system-abilities.ts";
import { type DoctorFinding, type DoctorTask, Look } from "./finding.ts";
import { roomFindings } from "./room-findings.ts";

const FOLDER = new Look("sink-folder", "a directory that can be read and filled");

/** The folder of `--sink`, and what its file system is able to do. */
export function checkSinkFolder({ sink }: DoctorTask): readonly DoctorFinding[] {
  if (sink === undefined) return [FOLDER.skipped("no --sink was given", "name a folder to have it looked at")];
  let folder: Buffer;
  try {
    if (!statSync(sink).isDirectory())
      return [FOLDER.error(`"${shownPath(sink)}" is not a directory`, "name a folder, or one that is not there yet")];
    folder = realpathSync.native(sink, { encoding: "buffer" });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT")
      return [absentFinding(sink), ...skippedAbilities("the folder is not there yet")];
    return [refusedFinding(sink, thrown), ...skippedAbilities("the folder cannot be used")];
  }
  return [
    FOLDER.ok(`"${shownPath(sink)}" can be filled`),
    lockFinding(folder),
    ...roomFindings(statfsSync(folder)),
    ...tried(folder),
  ];
}

/** It would be made by the sink. */
function absentFinding(sink: Buffer): DoctorFinding {
  let parent = sink;
  for (;;) {
    const cut = parent.lastIndexOf("/");
    parent = cut < 0 ? Buffer.from(".") : cut === 0 ? Buffer.from("/") : parent.subarray(0, cut);
    try {
      accessSync(parent, constants.W_OK | constants.X_OK);
      return FOLDER.ok(`"${shownPath(sink)}" is not there yet; the sink makes it`);
    } catch (thrown) {
      if (systemCode(thrown) === "ENOENT" && parent.length > 1) continue;
      const found = `"${shownPath(sink)}" is not there, and cannot be made in "${shownPath(parent)}": ${reasonOf(thrown)}`;
      return FOLDER.error(found, "make the folder, and give it to the user of the sink");
    }
  }
}

function refusedFinding(sink: Buffer, thrown: unknown): DoctorFinding {
  const isReadOnly = systemCode(thrown) === "EROFS";
  const todo = isReadOnly
    ? "mount it for writing, or name another folder"
    : "let the user of the sink read and fill it";
  return FOLDER.error(`"${shownPath(sink)}" cannot be filled: ${reasonOf(thrown)}`, todo);
}

/** Whether a sink works in it. The lock is not taken: a sink that starts at this moment would be turned away. */
function lockFinding(folder: Buffer): DoctorFinding {
  const look = new Look("sink-lock", "a folder that one sink at most works in");
  const own = pathIn(folder, OWN_FOLDER);
  try {
    const { ino } = lstatSync(own, { bigint: true });
    const lock = lstatSync(pathIn(own, `lock-${ino}`), { bigint: true });
    const held = new RegExp(`^\\d+: \\w+\\s+ADVISORY\\s+(READ|WRITE)\\s.*:${lock.ino}\\s`, "gm");
    const kinds = [...readFileSync("/proc/locks", "utf8").matchAll(held)].map(([, kind]) => kind);
    if (kinds.length === 0) return look.ok("no sink works in it now");
    return look.ok(
      kinds.includes("WRITE") ? "a sink copies into it now" : "a sink waits in it now, or a check reads it",
    );
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return look.ok("no sink has worked in it yet");
    return look.skipped(`it cannot be seen who has the lock: ${reasonOf(thrown)}`);
  }
}

/** Tries the file system in a place of its own, which is gone afterwards. */
function tried(folder: Buffer): readonly DoctorFinding[] {
  let place: Buffer;
  try {
    place = makePlace(folder);
  } catch (thrown) {
    const todo = systemCode(thrown) === "ENOSPC" ? "free some space" : "let the user of the sink fill the folder";
    const found = `nothing can be made in it: ${reasonOf(thrown)}`;
    return [FOLDER.error(found, todo), ...skippedAbilities("nothing can be made in the folder")];
  }
  try {
    return abilityFindings(folder, place);
  } finally {
    rmSync(place, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Within `.fanfold`, which no sink, source or `verify` takes for content. Where no sink has made that yet, beside it. */
function makePlace(folder: Buffer): Buffer {
  const own = pathIn(folder, OWN_FOLDER);
  const isThere = lstatSync(own, { throwIfNoEntry: false })?.isDirectory() === true;
  const prefix = isThere ? pathIn(own, "doctor-") : pathIn(folder, `${OWN_FOLDER}-doctor-`);
  return mkdtempSync(prefix as unknown as string, { encoding: "buffer" });
}
