import { chmodSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { readBootId } from "../../lib/disk/boot-id.ts";
import { placeOf } from "../../lib/disk/folder-place.ts";
import { type ErrorCode, FanfoldError, systemCode } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import type { Random } from "../../lib/random.ts";
import type { FolderFacts } from "./folder-facts.ts";
import { OwnFolder } from "./own-folder.ts";
import { type Doubts, markAtStart, type SyncMark } from "./sync-mark.ts";

/** A sink's folder while this process holds its lock, with what it remembers in `.fanfold/facts`. */
export interface SinkFolder extends Disposable {
  /** Canonical path. */
  readonly path: string;
  /** Names by which it is known when it is, or holds, the directory of a source. */
  readonly place: readonly string[];
  /** Proves to a coordinator that this is the same sink coming back: 64 hex digits. */
  readonly secret: string;
  /** Identity of the source this folder belongs to since its first success, or undefined. */
  readonly pinnedSource: string | undefined;
  pinSource(identity: string): void;
  /** Times whose files may have been lost with the power before the machine was booted (D12). */
  readonly doubts: Doubts;
  /** Wall time, in milliseconds since 1970, before which everything that was written is on the disk. */
  readonly syncedBefore: number;
  markSynced(beforeMs: number): void;
}

/** What a folder is opened at. */
interface SinkFolderMoment {
  readonly clock: Clock;
  /** Of this boot of the machine; undefined where the system does not tell. */
  readonly bootId: string | undefined;
}

/**
 * Opens a sink's folder, makes it when it is missing, and locks it. The lock goes with the process, also with a killed one.
 *
 * @throws FanfoldError `folder-busy`, `folder-not-a-directory`, `folder-denied`, `disk-full`, `disk-failed`
 */
export function openSinkFolder(
  folder: string,
  random: Random,
  moment: SinkFolderMoment = { clock: systemClock, bootId: readBootId() },
): SinkFolder {
  return guarded(folder, () => {
    const path = makeFolder(folder);
    const own = OwnFolder.open(path);
    if (own === undefined)
      throw new FanfoldError(
        "folder-busy",
        `Open the sink's folder "${escapeText(folder)}": another sink works in it; give each sink a folder of its own`,
      );
    try {
      const place = placeOf(Buffer.from(path), moment.bootId);
      return remembering({ path, place }, own, factsAtStart(own, random, moment));
    } catch (thrown) {
      own[Symbol.dispose]();
      throw thrown;
    }
  });
}

type StartFacts = FolderFacts & { readonly mark: SyncMark };

/** What the folder remembers, from here on with a mark of this boot of the machine. */
function factsAtStart(own: OwnFolder, random: Random, { clock, bootId }: SinkFolderMoment): StartFacts {
  const known = own.readFacts();
  const mark = markAtStart(known?.mark, {
    // Always the same where the system does not tell: no power loss is noticed there.
    bootId: bootId ?? "unknown",
    nowMs: clock.date().getTime(),
    wasUsed: known?.source !== undefined || own.hasManifest,
  });
  const facts = { secret: random.hex(32), ...known, mark };
  own.writeFacts(facts);
  return facts;
}

function remembering(where: Pick<SinkFolder, "path" | "place">, own: OwnFolder, start: StartFacts): SinkFolder {
  let facts = start;
  const change = (changed: Partial<StartFacts>): void => {
    const next = { ...facts, ...changed };
    own.writeFacts(next);
    facts = next;
  };
  return {
    ...where,
    secret: start.secret,
    get pinnedSource() {
      return facts.source;
    },
    pinSource(identity) {
      if (identity !== facts.source) change({ source: identity });
    },
    doubts: start.mark.doubts,
    get syncedBefore() {
      return facts.mark.syncedBeforeMs;
    },
    markSynced: (syncedBeforeMs) => change({ mark: { ...facts.mark, syncedBeforeMs } }),
    [Symbol.dispose]: () => own[Symbol.dispose](),
  };
}

const FILLABLE = 0o700;

function makeFolder(folder: string): string {
  mkdirSync(resolve(folder), { recursive: true });
  const stats = statSync(folder);
  if (!stats.isDirectory())
    throw new FanfoldError(
      "folder-not-a-directory",
      `Open the sink's folder "${escapeText(folder)}": it is no directory`,
    );
  // An earlier copy may have given it a mode by which its owner can neither read nor fill it.
  if (stats.uid === process.geteuid?.() && stats.uid !== 0 && (stats.mode & FILLABLE) !== FILLABLE)
    chmodSync(folder, (stats.mode & 0o7777) | FILLABLE);
  return realpathSync(folder);
}

const CODES: Readonly<Record<string, readonly [code: ErrorCode, words: string]>> = {
  EEXIST: ["folder-not-a-directory", "it is no directory"],
  ENOTDIR: ["folder-not-a-directory", "it is no directory"],
  EROFS: ["disk-failed", "the file system is read-only"],
  ENOSPC: ["disk-full", "no space left on its file system"],
  EDQUOT: ["disk-full", "the disk quota is used up"],
  EACCES: ["folder-denied", "permission denied"],
  EPERM: ["folder-denied", "permission denied"],
};

function guarded<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const [code, words] = CODES[systemCode(cause) ?? ""] ?? [];
    if (code === undefined) throw FanfoldError.from(cause);
    throw new FanfoldError(code, `Open the sink's folder "${escapeText(folder)}": ${words}`, { cause });
  }
}
