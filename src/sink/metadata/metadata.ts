import type { EntryPlace, Native } from "../../lib/disk/native-calls.ts";
import type { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import { systemCode } from "../../lib/errors.ts";
import { ACCESS_ACL } from "../../protocol/frame/attribute-names.ts";
import {
  ENTRY_KINDS,
  type Entry,
  type EntryKind,
  entryDisplay,
  KEEPS_ALL,
  type Keeps,
} from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import type { FidelityKind, FidelityTally } from "../../protocol/messages/fidelity.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { FILLABLE } from "../disk/fillable.ts";
import type { FolderTraits } from "../own/folder-traits.ts";
import { attributeChanges, changeAttributes, copyAttributes } from "./attribute-sync.ts";
import { fileTime } from "./file-time.ts";
import type { MetadataTarget } from "./metadata-target.ts";
import type { Ids, OwnerMap, Rights } from "./owner-map.ts";
import { isSameTime, keepsTime, nanosecondsOf, stored, timeLoss } from "./time-scale.ts";
import type { UnkeptMode } from "./unkept-mode.ts";

/** What an entry shall have besides its content. */
export type WantedMetadata = Pick<Entry, "mode" | "mtime" | "owner" | "attributes">;
export type MetadataKind = "file" | "directory" | "symlink" | "node";

/** One entry whose metadata is looked at or set. */
export interface MetadataEntry {
  /** Number of the entry. */
  readonly entry: number;
  readonly kind: MetadataKind;
  readonly wanted: WantedMetadata;
  /** Gives its escaped path, under which is told what could not be carried. Undefined when that was told before. */
  readonly shown: (() => string) | undefined;
}

/** An entry as it was listed. */
export function metadataEntryOf(entry: Entry): MetadataEntry {
  return { entry: entry.entry, kind: KINDS[entry.kind], wanted: entry, shown: () => entryDisplay(entry) };
}

const KINDS: Readonly<Record<EntryKind, MetadataKind>> = {
  file: "file",
  hardlink: "file",
  directory: "directory",
  symlink: "symlink",
  fifo: "node",
  device: "node",
};

interface MetadataOptions {
  readonly native: Native | undefined;
  readonly rights: Rights;
  readonly owners: OwnerMap;
  readonly tally: FidelityTally;
}

interface ApplyOptions {
  /** It has no attributes. @default false */
  readonly isBare?: boolean;
  /** What a new one gets when modes are not carried; undefined: the mode that it has. */
  readonly unkept?: UnkeptMode | undefined;
}

/** How an entry is to what it shall be. */
interface MetadataDifference {
  /** It would be given something. */
  readonly differs: boolean;
  /** What it cannot be given; not told of one that differs. */
  readonly lacks: ReadonlySet<FidelityKind>;
}

const NO_LACKS: ReadonlySet<FidelityKind> = new Set();
const DIFFERS: MetadataDifference = { differs: true, lacks: NO_LACKS };
const SET_IDS = 0o6000;
const SET_GROUP_ID = 0o2000;
const PERMISSIONS = 0o7777;
/** What the owner of a directory needs to read its names and reach what is in it. */
const LOOKED_INTO = 0o500;
/** What its owner needs to set attributes of a file. */
const WRITABLE = 0o600;
/** What a system says to an owner, a mode or a time that it does not take. */
const REFUSALS: ReadonlySet<string> = new Set([
  "EPERM",
  "EACCES",
  "EINVAL",
  "ENOTSUP",
  "ENOSYS",
  "EOVERFLOW",
  "ERANGE",
]);

/**
 * Sets owner, attributes, mode and times, in this order. A new owner clears set-user-id bits and capabilities. An access
 * control list changes the mode. None of them changes the modification time. What the system refuses is counted and not
 * fatal: what counts is how the entry looks afterwards.
 */
export class Metadata {
  readonly #options: MetadataOptions;
  readonly isRoot: boolean;
  /** What the source asks to have applied. */
  keeps: Keeps = KEEPS_ALL;
  traits: FolderTraits;
  /** Is told what each entry lacks, also what was told before. */
  onLack: (entry: number, what: FidelityKind) => void = () => undefined;

  constructor(options: MetadataOptions, traits: FolderTraits) {
    this.#options = options;
    this.isRoot = options.rights.isRoot;
    this.traits = traits;
  }

  /** What stands there and looks like `facts`, against what it shall have. Changes nothing. */
  compare(place: EntryPlace, facts: FileFacts, { kind, wanted }: MetadataEntry): MetadataDifference {
    const ids = this.attainableIds(facts, wanted);
    if (ids.uid !== facts.uid || ids.gid !== facts.gid) return DIFFERS;
    if (this.#modeFor(facts, kind, wanted) !== facts.mode || this.#timeDiffers(facts, wanted)) return DIFFERS;
    const { set, remove, lacks } = this.#attributes(place, facts, kind, wanted);
    return { differs: set.length > 0 || remove.length > 0, lacks };
  }

  /** Whether what was looked at is exactly as the row says, attributes aside: it would be given nothing, and lacks nothing. */
  isRight(found: StatxBuffer, rows: PageRows, index: number): boolean {
    const [kind, owner, mode] = [rows.kind(index), rows.owner(index), rows.mode(index)];
    if (owner !== undefined) {
      const { uid, gid } = this.#options.owners.idsOf(owner);
      if (found.uid !== uid || found.gid !== gid) return false;
    } else if ((mode & SET_IDS) !== 0) return false;
    const hasMode = kind !== ENTRY_KINDS.symlink && this.keeps.perms;
    if (hasMode && (found.mode & PERMISSIONS) !== mode) return false;
    if (!this.keeps.times) return true;
    const [seconds, nanoseconds] = [rows.seconds(index), rows.nanoseconds(index)];
    if (found.mtimeSeconds !== seconds || found.mtimeNanoseconds !== nanoseconds) return false;
    return keepsTime(this.traits.scale, { seconds, nanoseconds });
  }

  /** Whether it would be given something. Changes nothing. */
  wouldChange(place: EntryPlace, facts: FileFacts, subject: MetadataEntry): boolean {
    return this.compare(place, facts, subject).differs;
  }

  /** The same of a directory that stays, without what a system leaves out or refuses each time. */
  wouldAlter(place: EntryPlace, facts: FileFacts, subject: MetadataEntry): boolean {
    const refused = this.isRoot ? 0 : subject.wanted.mode & SET_GROUP_ID;
    const attained = { ...facts, mode: facts.mode | refused };
    return !this.isForeign(attained, subject) && this.wouldChange(place, attained, subject);
  }

  /** Whether its mode and time cannot be set because it is somebody else's. A file of one's own in its place can have them. */
  isForeign(facts: FileFacts, { kind, wanted }: MetadataEntry): boolean {
    const { isRoot, uid } = this.#options.rights;
    if (isRoot || facts.uid === uid || !this.traits.keepsOwners) return false;
    return this.#modeFor(facts, kind, wanted) !== facts.mode || this.#timeDiffers(facts, wanted);
  }

  /** Whether this process can fill a directory as it is. */
  isFillable({ mode, uid }: Pick<FileFacts, "mode" | "uid">): boolean {
    const { rights } = this.#options;
    return (mode & FILLABLE) === FILLABLE && (rights.isRoot || rights.uid === uid);
  }

  /** Whether it can at least go through one, and read its names. */
  isLookedInto({ mode, uid }: FileFacts): boolean {
    return (mode & LOOKED_INTO) === LOOKED_INTO && this.#options.rights.uid === uid;
  }

  /**
   * Gives an entry what it shall have and has not. Throws system errors that are no refusal.
   */
  apply(target: MetadataTarget, subject: MetadataEntry, options: ApplyOptions = {}): void {
    const { kind, wanted } = subject;
    const before = target.facts();
    const owned = this.#setOwner(target, before, wanted);
    const isPlain = options.isBare === true && wanted.attributes?.length === 0;
    const { facts, lacks } = isPlain ? { facts: owned, lacks: NO_LACKS } : this.#setAttributes(target, owned, subject);
    const unkept = this.keeps.perms || kind === "symlink" ? undefined : options.unkept;
    if (unkept !== undefined) this.#setAcl(target, unkept);
    const mode = this.#modeFor(facts, kind, wanted, unkept);
    const setsMode = mode !== facts.mode;
    if (setsMode) spared(() => target.setMode(mode));
    const setsTime = this.#timeDiffers(facts, wanted);
    if (setsTime) spared(() => this.#setTime(target, wanted.mtime));
    this.tell(setsMode || setsTime ? target.facts() : facts, subject, lacks);
  }

  /** Gives a directory what it had before. */
  restore(target: MetadataTarget, { mode, mtime }: Pick<WantedMetadata, "mode" | "mtime">): void {
    if (target.facts().mode !== mode) target.setMode(mode);
    this.#setTime(target, mtime);
  }

  /** Gives a new directory what another one has, as far as no copy says what it shall have. */
  inherit(
    target: MetadataTarget,
    from: { readonly place: number; readonly facts: FileFacts },
    wanted?: WantedMetadata,
  ): void {
    const { native } = this.#options;
    const { uid, gid, mode } = from.facts;
    if (this.isRoot && wanted?.owner === undefined) spared(() => target.setOwner(uid, gid));
    if (wanted?.attributes === undefined && native !== undefined) copyAttributes(native, from.place, target.place);
    if (!this.keeps.perms) spared(() => target.setMode(mode | FILLABLE));
  }

  /** Counts an entry that was not made at all. */
  tellMissing(what: FidelityKind, { shown }: MetadataEntry): void {
    if (shown !== undefined) this.#options.tally.add(what, shown());
  }

  /** Gives a file a time that is no source's, so that it is wanted the next time. */
  spoilTime(target: MetadataTarget): void {
    this.#setTime(target, { seconds: 0, nanoseconds: 0 });
  }

  #setOwner(target: MetadataTarget, facts: FileFacts, wanted: WantedMetadata): FileFacts {
    const { uid, gid } = this.attainableIds(facts, wanted);
    if (uid === facts.uid && gid === facts.gid) return facts;
    spared(() => target.setOwner(uid, gid));
    return target.facts();
  }

  #setAttributes(
    target: MetadataTarget,
    facts: FileFacts,
    { kind, wanted }: MetadataEntry,
  ): { readonly facts: FileFacts; readonly lacks: ReadonlySet<FidelityKind> } {
    const { native, rights } = this.#options;
    const changes = this.#attributes(target.place, facts, kind, wanted);
    if (native === undefined || changes.set.length + changes.remove.length === 0)
      return { facts, lacks: changes.lacks };
    if (!rights.isRoot && kind === "file" && (facts.mode & WRITABLE) !== WRITABLE)
      spared(() => target.setMode((facts.mode & ~SET_IDS) | WRITABLE));
    const lacks = changeAttributes(native, target.place, changes);
    return { facts: target.facts(), lacks };
  }

  /** What the file system does not take is not told: it is none of the source's. */
  #setAcl({ place }: MetadataTarget, { acl }: UnkeptMode): void {
    const name = Buffer.from(ACCESS_ACL);
    spared(() => {
      if (acl === undefined) this.#options.native?.removeAttribute(place, name);
      else this.#options.native?.setAttribute(place, name, acl);
    });
  }

  #attributes(place: EntryPlace, facts: FileFacts, kind: MetadataKind, wanted: WantedMetadata) {
    const { native, rights } = this.#options;
    const capabilities = kind === "file" && this.isOwnerRight(facts, wanted);
    const scope = { native, isRoot: rights.isRoot, acls: this.keeps.perms, capabilities };
    return attributeChanges(place, wanted.attributes, scope);
  }

  #setTime(target: MetadataTarget, time: Timestamp): void {
    const { native } = this.#options;
    if (native === undefined) target.setTimes(fileTime(time));
    else native.setTimes(target.place, time, this.traits.setsTimesTogether ? time : undefined);
  }

  /** Whom this process can give it to: anybody as root, else only a group of its own. */
  attainableIds(facts: FileFacts, { owner }: WantedMetadata): Ids {
    const { rights, owners } = this.#options;
    if (owner === undefined) return { uid: facts.uid, gid: facts.gid };
    const ids = owners.idsOf(owner);
    if (rights.isRoot) return ids;
    const canGive = facts.uid === rights.uid && rights.groups.has(ids.gid);
    return { uid: facts.uid, gid: canGive ? ids.gid : facts.gid };
  }

  isOwnerRight(facts: Ids, { owner }: WantedMetadata): boolean {
    if (owner === undefined) return false;
    const ids = this.#options.owners.idsOf(owner);
    return facts.uid === ids.uid && facts.gid === ids.gid;
  }

  /** Set-user-id and set-group-id bits of a file are its owner's rights: they are left out where the owner is another. */
  #modeFor(facts: FileFacts, kind: MetadataKind, wanted: WantedMetadata, unkept?: UnkeptMode): number {
    if (kind === "symlink") return facts.mode;
    if (!this.keeps.perms) return unkept === undefined ? facts.mode : unkeptFor(facts, kind, unkept);
    if (kind === "directory" || this.isOwnerRight(facts, wanted)) return wanted.mode;
    return wanted.mode & ~SET_IDS;
  }

  #timeDiffers(facts: FileFacts, { mtime }: WantedMetadata): boolean {
    if (!this.keeps.times) return false;
    const { scale } = this.traits;
    if (this.#options.native === undefined) return !isSameTime(scale, facts.mtimeNs, mtime);
    return facts.mtimeNs !== stored(scale, nanosecondsOf(mtime));
  }

  /** Counts what an entry lacks as it looks now, `lacks` of it by comparison. */
  tell(facts: FileFacts, subject: MetadataEntry, lacks: ReadonlySet<FidelityKind>): void {
    const { entry, kind, wanted, shown } = subject;
    const count = (what: FidelityKind): void => {
      this.onLack(entry, what);
      if (shown !== undefined) this.#options.tally.add(what, shown());
    };
    if (wanted.owner !== undefined && !this.isOwnerRight(facts, wanted)) count("owner");
    const missing = kind === "symlink" || !this.keeps.perms ? 0 : wanted.mode ^ (facts.mode & PERMISSIONS);
    const setIds = kind === "directory" ? 0 : missing & wanted.mode & SET_IDS;
    if (setIds !== 0 || lacks.has("setuid")) count("setuid");
    if ((missing & ~setIds) !== 0) count("permissions");
    const loss = this.keeps.times ? timeLoss(facts.mtimeNs, wanted.mtime) : "none";
    if (loss !== "none") count(loss === "time" ? "time" : "time-fraction");
    for (const lack of lacks) if (lack !== "setuid") count(lack);
  }
}

/** A directory keeps the set-group-id bit that it inherited. A file has set-id bits for the owner alone whose they were. */
function unkeptFor(facts: FileFacts, kind: MetadataKind, { mode, ids }: UnkeptMode): number {
  if (kind === "directory") return (mode & ~SET_GROUP_ID) | (facts.mode & SET_GROUP_ID);
  return facts.uid === ids?.uid && facts.gid === ids.gid ? mode : mode & ~SET_IDS;
}

function spared(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!REFUSALS.has(systemCode(thrown) ?? "")) throw thrown;
  }
}
