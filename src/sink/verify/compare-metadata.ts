import { escapeName } from "../../lib/escape-name.ts";
import type { Entry } from "../../protocol/frame/page.ts";
import type { FoundEntry } from "../disk/folder-reader.ts";
import type { Root } from "../disk/root.ts";
import { LACKS, type ManifestMeta } from "../manifest/manifest.ts";
import { attributeChanges, isAcl } from "../metadata/attribute-sync.ts";
import { type Ids, OwnerMap } from "../metadata/owner-map.ts";
import type { Carried, Fault } from "./compare-entry.ts";

/** Names of attributes that are told of one entry. */
const NAMES_TOLD_MAX = 3;

/**
 * Compares owners and attributes of entries with what the copy gave them: with what its sink would give them now, were it started again. What
 * only root may see or set is compared when it was root who wrote the copy, and is root who looks.
 */
export class MetadataComparison {
  readonly #root: Root;
  readonly #owners: OwnerMap;
  readonly #isRoot: boolean;

  constructor(root: Root, { numericIds, asRoot }: ManifestMeta) {
    this.#root = root;
    this.#owners = new OwnerMap(numericIds);
    this.#isRoot = asRoot && root.metadata.isRoot;
  }

  faults(entry: Entry, found: FoundEntry, carried: Carried): Fault[] {
    return [...this.#ownerFaults(entry, found, carried), ...this.#attributeFaults(entry, found, carried)];
  }

  #ownerFaults({ owner }: Entry, found: FoundEntry, { lacks }: Carried): Fault[] {
    if (owner === undefined || (lacks & LACKS.owner) !== 0) return [];
    const ids = this.#owners.idsOf(owner);
    if (isSame(ids, found)) return [];
    return [{ kind: "owner", text: `belongs to ${found.uid}:${found.gid}, expected ${ids.uid}:${ids.gid}` }];
  }

  #attributeFaults(entry: Entry, found: FoundEntry, { keeps, lacks }: Carried): Fault[] {
    const { native } = this.#root;
    if (native === undefined) return [];
    const { owner } = entry;
    // Capabilities are the owner's rights, as set-user-id bits are.
    const capabilities =
      entry.kind === "file" &&
      owner !== undefined &&
      isSame(this.#owners.idsOf(owner), found) &&
      (lacks & LACKS.setuid) === 0;
    const rules = { native, isRoot: this.#isRoot, acls: keeps.perms, capabilities };
    const place = this.#root.place(entry.directory, entry.name);
    const { set, remove } = attributeChanges(place, entry.attributes, rules);
    const names = [...set.map(({ name }) => name), ...remove];
    const [acls, others] = [names.filter(isAcl), names.filter((name) => !isAcl(name))];
    const faults: Fault[] = [];
    if (others.length > 0 && (lacks & LACKS.attributes) === 0)
      faults.push({ kind: "attributes", text: `has other extended attributes than were copied: ${namesText(others)}` });
    if (acls.length > 0 && (lacks & LACKS.acl) === 0)
      faults.push({ kind: "acl", text: "has another access control list than was copied" });
    return faults;
  }
}

function isSame(one: Ids, other: Ids): boolean {
  return one.uid === other.uid && one.gid === other.gid;
}

function namesText(names: readonly Uint8Array[]): string {
  const told = names.slice(0, NAMES_TOLD_MAX).map((name) => `"${escapeName(name)}"`);
  return `${told.join(", ")}${names.length > NAMES_TOLD_MAX ? ", …" : ""}`;
}
