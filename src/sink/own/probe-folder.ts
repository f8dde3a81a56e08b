import { futimesSync } from "node:fs";
import type { Native } from "../../lib/disk/native-calls.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { factsOfOpen } from "../disk/file-facts.ts";
import type { Root } from "../disk/root.ts";
import { fileTime, storedAs } from "../metadata/file-time.ts";
import { EXACT_SCALE, nanosecondsOf, unitBetween } from "../metadata/time-scale.ts";
import { decodeTraits, encodeTraits, type FolderTraits, USUAL_TRAITS } from "./folder-traits.ts";
import { KnownDamage, removeDamageDrafts } from "./known-damage.ts";
import { readOwnFile, writeOwnFile } from "./own-files.ts";
import type { IsDoubted } from "./partial-files.ts";

/** Prepares a folder before anything is written into it, and tests what its file system keeps. */
export function prepareFolder(root: Root, nowMs: number, isDoubted: IsDoubted): void {
  root.partials.prepare(nowMs, isDoubted);
  removeDamageDrafts(root);
  root.damage = KnownDamage.read(root);
  root.metadata.traits = probeTraits(root);
  rememberTraits(root, root.metadata.traits);
}

/** An odd second, and nine digits after it: each unit of a file system makes something else of it. */
const PROBE_TIME: Timestamp = { seconds: 1_600_000_001, nanoseconds: 987_654_321 };
const FAR_SECONDS = 2 ** 52;
const NOWHERE = Buffer.alloc(0);

/** Asks the file system, by a file of our own that is gone afterwards. Throws system errors. */
function probeTraits(root: Root): FolderTraits {
  const { native } = root;
  const file = root.partials.create(NOWHERE, "probe");
  try {
    const { scale, setsTimesTogether } = probeTimes(file.fd, native);
    return { scale, setsTimesTogether, keepsOwners: factsOfOpen(file.fd).uid === process.geteuid?.() };
  } finally {
    root.partials.close(file);
    root.partials.discard(file);
  }
}

/** What becomes of times that are set. Where nothing that is known does, no time that a file shows speaks for it. */
function probeTimes(fd: number, native: Native | undefined): Pick<FolderTraits, "scale" | "setsTimesTogether"> {
  /** What was asked for, as the calls at hand can say it, and what stands there then. */
  const ask = (time: Timestamp, isTogether: boolean): { readonly asked: bigint; readonly found: bigint } => {
    const value = fileTime(time);
    if (native === undefined) futimesSync(fd, value, value);
    else native.setTimes(fd, time, isTogether ? time : undefined);
    const asked = native === undefined ? storedAs(Number(value)) : time;
    return { asked: nanosecondsOf(asked), found: factsOfOpen(fd).mtimeNs };
  };
  for (const setsTimesTogether of native === undefined ? [false] : [false, true]) {
    const { asked, found } = ask(PROBE_TIME, setsTimesTogether);
    const unit = unitBetween(asked, found);
    if (unit === undefined) continue;
    const limit = (seconds: number): bigint | undefined => {
      const far = ask({ seconds, nanoseconds: 0 }, setsTimesTogether);
      return far.found === far.asked ? undefined : far.found;
    };
    return { scale: { unit, first: limit(-FAR_SECONDS), last: limit(FAR_SECONDS) }, setsTimesTogether };
  }
  return { scale: EXACT_SCALE, setsTimesTogether: false };
}

const FILE = "traits";
const TRAITS_BYTES_MAX = 1024;

/** Remembers them for who may change nothing in the folder: dry runs and `verify`. */
function rememberTraits(root: Root, traits: FolderTraits): void {
  const text = encodeTraits(traits);
  if (readText(root) !== text) writeOwnFile(root, FILE, text);
}

/** Those of the last session in this folder. The usual ones when there was no session, or its record cannot be read. */
export function recallTraits(root: Root): FolderTraits {
  try {
    return decodeTraits(readText(root) ?? "");
  } catch {
    return USUAL_TRAITS;
  }
}

function readText(root: Root): string | undefined {
  return readOwnFile(root, FILE, TRAITS_BYTES_MAX)?.toString("latin1");
}
