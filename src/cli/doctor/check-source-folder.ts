import { accessSync, constants, lstatSync, opendirSync, realpathSync, statSync } from "node:fs";
import { reasonOf } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import { formatCount, plural } from "../../words/format.ts";
import { type DoctorFinding, type DoctorTask, Look } from "./finding.ts";

/** Of a large directory no more entries are tried: the copy itself tells of all. */
const ENTRIES_TRIED_MAX = 1000;
const SLASH = Buffer.from("/");

/** Whether the directory of `--source` can be read. */
export function checkSourceFolder({ source, sink }: DoctorTask): readonly DoctorFinding[] {
  const look = new Look("source-folder", "a directory that can be read and entered");
  if (source === undefined) return [look.skipped("no --source was given", "name a directory to have it looked at")];
  try {
    if (!statSync(source).isDirectory())
      return [look.error(`"${shownPath(source)}" is not a directory`, "name the directory to copy")];
    accessSync(source, constants.R_OK | constants.X_OK);
  } catch (thrown) {
    const todo = "check the path, and that the user of fanfold may read it";
    return [look.error(`"${shownPath(source)}" cannot be read: ${reasonOf(thrown)}`, todo)];
  }
  const overlap = overlapOf(source, sink);
  return [...entriesOf(look, source), ...(overlap === undefined ? [] : [overlap])];
}

function entriesOf(look: Look, source: Buffer): readonly DoctorFinding[] {
  let tried = 0;
  const refused: Buffer[] = [];
  using directory = opendirSync(source as unknown as string, { encoding: "buffer" as BufferEncoding });
  for (let entry = directory.readSync(); entry !== null && tried < ENTRIES_TRIED_MAX; entry = directory.readSync()) {
    const path = Buffer.concat([source, SLASH, entry.name as unknown as Buffer]);
    tried += 1;
    if (!isReadable(path)) refused.push(path);
  }
  const [first] = refused;
  if (first === undefined) return [look.ok(`it can be read, and the first ${plural(tried, "entry", "entries")} of it`)];
  const found = `${formatCount(refused.length)} of the first ${plural(tried, "entry", "entries")} cannot be read, "${shownPath(first)}" among them`;
  return [look.warning(found, "run the source as a user who may read them; else the copy ends with status 3")];
}

function isReadable(path: Buffer): boolean {
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return true;
    if (!stats.isFile() && !stats.isDirectory()) return true;
    accessSync(path, stats.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A sink must not fill what its source reads. */
function overlapOf(source: Buffer, sink: Buffer | undefined): DoctorFinding | undefined {
  if (sink === undefined) return undefined;
  const [one, other] = [source, sink].map(canonical);
  if (one === undefined || other === undefined) return undefined;
  if (one !== other && !one.startsWith(`${other}/`) && !other.startsWith(`${one}/`)) return undefined;
  return new Look("overlap", "source and sink have directories apart from each other").error(
    "one of the two directories is, or holds, the other",
    "give the sink a folder outside of the source's directory",
  );
}

/** Bytes as Latin-1, so that paths that are not UTF-8 stay apart. Undefined for one that is not there. */
function canonical(path: Buffer): string | undefined {
  try {
    return realpathSync.native(path, { encoding: "buffer" }).toString("latin1");
  } catch {
    return undefined;
  }
}
