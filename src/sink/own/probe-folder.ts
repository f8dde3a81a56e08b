import { factsOfOpen } from "../disk/file-facts.ts";
import type { Root } from "../disk/root.ts";
import { decodeTraits, encodeTraits, type FolderTraits, USUAL_TRAITS } from "./folder-traits.ts";
import { KnownDamage, removeDamageDrafts } from "./known-damage.ts";
import { readOwnFile, writeOwnFile } from "./own-files.ts";
import type { IsDoubted } from "./partial-files.ts";
import { probeTimes } from "./probe-times.ts";

/** Prepares a folder before anything is written into it, and tests what its file system keeps. */
export function prepareFolder(root: Root, nowMs: number, isDoubted: IsDoubted): void {
  root.partials.prepare(nowMs, isDoubted);
  removeDamageDrafts(root);
  root.damage = KnownDamage.read(root);
  root.metadata.traits = probeTraits(root);
  rememberTraits(root, root.metadata.traits);
}

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
