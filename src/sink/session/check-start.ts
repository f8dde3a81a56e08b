import { FanfoldError } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import { isAmong } from "../../lib/folder/folder-place.ts";
import type { Start } from "../../member/inbox.ts";
import { fingerprint } from "../../protocol/names/fingerprint.ts";
import type { SinkFolder } from "../own/sink-folder.ts";

interface StartTerms {
  readonly folder: SinkFolder;
  readonly acceptNewSource: boolean;
  /** Public key of the only source for a folder that has none yet. */
  readonly trustSource: string | undefined;
  readonly keepsSnapshots: boolean;
}

/** @throws FanfoldError why this copy may not go into this folder */
export function checkStart(start: Start, { folder, acceptNewSource, trustSource, keepsSnapshots }: StartTerms): void {
  const wanted = folder.pinnedSource ?? trustSource;
  if (wanted !== undefined && !isSource(wanted, start) && !acceptNewSource) throw anotherSource(start, wanted, folder);
  if (start.commit !== undefined && !start.dryRun && !keepsSnapshots) throw keepsNone(start.source.name);
  if (isAmong(folder.place, start.sourcePlace)) throw overlaps(start.source.name, folder.path);
}

/** What the source has would be written over, and with `--delete` deleted, while it is read. */
function overlaps(source: string, folder: Buffer): FanfoldError {
  const text = `cannot take the tree of "${source}" into "${shownPath(folder)}": the source's directory is this folder, or lies in it, and the copy would overwrite its own source; give the sink a folder outside of that directory`;
  return new FanfoldError("folder-overlaps", text);
}

/** The sinks of this session switch together, and this one cannot. */
function keepsNone(source: string): FanfoldError {
  const text = `cannot take the copy of "${source}": its sinks switch to it together (--commit), and this one keeps no snapshots; start it with --snapshots`;
  return new FanfoldError("refused", text);
}

/** Whether this is the source that a folder holds the copy of, by its key or by what it was known by in version 0.1. */
function isSource(identity: string, { sourceIdentity, formerIdentity }: Start): boolean {
  return identity === sourceIdentity || identity === formerIdentity;
}

/** The same directory is another source when its path, its machine or its user's state is another. */
function anotherSource(
  { source, sourceIdentity }: Start,
  wanted: string,
  { path, pinnedSource }: SinkFolder,
): FanfoldError {
  const [held, come] = [fingerprint(wanted), fingerprint(sourceIdentity)];
  if (pinnedSource === undefined)
    return new FanfoldError(
      "source-changed",
      `cannot take the tree of "${source.name}" into "${shownPath(path)}": --trust-source names the source ${held}, and this source has the identity ${come}; "fanfold identity show" prints a source's key`,
    );
  return new FanfoldError(
    "source-changed",
    `cannot take the tree of "${source.name}" into "${shownPath(path)}": the folder holds the copy of the source with the identity ${held}, and this source has the identity ${come}. If it is the same directory under another path, user or machine, take its identity along ("fanfold identity", or --identity at the source). Otherwise use another folder, or --accept-new-source`,
  );
}
