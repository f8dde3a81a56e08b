import { chmodSync, realpathSync, statSync } from "node:fs";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { SigningKey } from "../../lib/crypto/signing-key.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { readBootId } from "../../lib/folder/boot-id.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import { placeOf } from "../../lib/folder/folder-place.ts";
import { makeDirectories } from "../../lib/folder/make-directories.ts";
import type { Random } from "../../lib/random.ts";
import type { CoordinatorMemory } from "../../member/remembered-coordinators.ts";
import type { FolderFacts } from "./folder-facts.ts";
import { OwnFolder } from "./own-folder.ts";
import { type Doubts, markAtStart, type SyncMark } from "./sync-mark.ts";

/** A sink's folder while this process holds its lock, alone or lent, with what it remembers in `.fanfold/facts`. */
export interface SinkFolder extends Disposable {
  /** Canonical path, bytes. */
  readonly path: Buffer;
  /** Names by which it is known when it is, or holds, the directory of a source. */
  readonly place: readonly string[];
  /** What this sink is known by. */
  readonly key: SigningKey;
  /** Identity of the source this folder belongs to since its first success, or undefined. */
  readonly pinnedSource: string | undefined;
  /** How coordinators are known that let this sink in. */
  readonly coordinators: CoordinatorMemory;
  pinSource(identity: string): void;
  /** Copies into it become snapshots. */
  readonly keepsSnapshots: boolean;
  /** From now on they do. */
  keepSnapshots(): void;
  /** A coordinator may not learn names of what is in it: it holds, or held, copies for recipients. */
  readonly hidesNames: boolean;
  /** From now on it may not, whoever opens it next. */
  hideNames(): void;
  /** The program that makes snapshots of it failed behind the last copy. */
  readonly commandFailed: boolean;
  /** How it ended. */
  noteCommand(end: "done" | "failed"): void;
  /** When its copy was read again last, in milliseconds since 1970; or since when that is waited for. */
  readonly verifiedMs: number | undefined;
  noteVerified(atMs: number): void;
  /** Times whose files may have been lost with the power before the machine was booted (D12). */
  readonly doubts: Doubts;
  /** Wall time, in milliseconds since 1970, before which everything that was written is on the disk. */
  readonly syncedBefore: number;
  markSynced(beforeMs: number): void;
  /** Nothing is copied now: checks may read the folder, and no other sink gets in. Idempotent. */
  lend(): void;
  /** Has it alone again, for a copy. False while somebody reads it. Idempotent. */
  claim(): boolean;
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
  folder: FilePath,
  random: Random,
  moment: SinkFolderMoment = { clock: systemClock, bootId: readBootId() },
): SinkFolder {
  const what = `cannot open the sink's folder "${shownPath(folder)}"`;
  try {
    const path = makeFolder(pathBytes(folder));
    const own = OwnFolder.open(path);
    if (own === undefined)
      throw new FanfoldError(
        "folder-busy",
        `${what}: another sink or "fanfold verify" is using it; give each sink its own folder`,
      );
    try {
      const place = placeOf(path, moment.bootId);
      return remembering({ path, place }, own, factsAtStart(own, random, moment));
    } catch (thrown) {
      own[Symbol.dispose]();
      throw thrown;
    }
  } catch (thrown) {
    throw folderError(what, thrown);
  }
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
  const facts = { ...known, seed: known?.seed ?? random.hex(32), mark };
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
    key: new SigningKey(start.seed),
    get pinnedSource() {
      return facts.source;
    },
    pinSource(identity) {
      if (identity !== facts.source) change({ source: identity });
    },
    get keepsSnapshots() {
      return facts.snapshots === true;
    },
    keepSnapshots: () => change({ snapshots: true }),
    get hidesNames() {
      return facts.forRecipients === true;
    },
    hideNames() {
      if (facts.forRecipients !== true) change({ forRecipients: true });
    },
    get commandFailed() {
      return facts.commandFailed === true;
    },
    noteCommand: (end) => change({ commandFailed: end === "failed" ? true : undefined }),
    get verifiedMs() {
      return facts.verifiedMs;
    },
    noteVerified: (verifiedMs) => change({ verifiedMs }),
    coordinators: own.coordinators,
    doubts: start.mark.doubts,
    get syncedBefore() {
      return facts.mark.syncedBeforeMs;
    },
    markSynced: (syncedBeforeMs) => change({ mark: { ...facts.mark, syncedBeforeMs } }),
    lend: () => own.lend(),
    claim: () => own.claim(),
    [Symbol.dispose]: () => own[Symbol.dispose](),
  };
}

const FILLABLE = 0o700;

function makeFolder(folder: Buffer): Buffer {
  makeDirectories(folder);
  const stats = statSync(folder);
  // An earlier copy may have given it a mode by which its owner can neither read nor fill it.
  if (stats.uid === process.geteuid?.() && stats.uid !== 0 && (stats.mode & FILLABLE) !== FILLABLE)
    chmodSync(folder, (stats.mode & 0o7777) | FILLABLE);
  // The native one alone takes a working directory whose name is not UTF-8.
  return realpathSync.native(folder, { encoding: "buffer" });
}
