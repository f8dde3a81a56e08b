import type { EntryPlace, Native, NativePlace } from "../../lib/disk/native-calls.ts";
import { systemCode } from "../../lib/errors.ts";
import {
  ACCESS_ACL,
  type Attribute,
  DEFAULT_ACL,
  isCarriedAttribute,
  isPrivilegedAttribute,
} from "../../protocol/frame/attribute-names.ts";
import type { FidelityKind } from "../../protocol/messages/fidelity.ts";

interface AttributeRules {
  readonly native: Native | undefined;
  /** Whether those of `trusted.` and `security.` may be set. */
  readonly isRoot: boolean;
}

/** What of attributes is compared and set: without ACLs where modes are not kept, without capabilities where the owner is another. */
interface AttributeScope {
  readonly acls: boolean;
  readonly capabilities: boolean;
}

/** What has to be done to the attributes of an entry. */
interface AttributeChanges {
  readonly set: readonly Attribute[];
  readonly remove: readonly Uint8Array[];
  /** What is known from the start not to be possible. */
  readonly lacks: ReadonlySet<FidelityKind>;
}

const NO_CHANGES: AttributeChanges = { set: [], remove: [], lacks: new Set() };
const CAPABILITY = "security.capability";
/** What a system says to an attribute that it does not take. ENOSPC and EDQUOT: there is no room left in the inode. */
const REFUSALS: ReadonlySet<string> = new Set([
  "EPERM",
  "EACCES",
  "ENOTSUP",
  "EINVAL",
  "E2BIG",
  "ERANGE",
  "ENOSPC",
  "EDQUOT",
  "ENODATA",
  "EOPNOTSUPP",
]);

/**
 * Compares the attributes of what stands there with those that it shall have. Undefined `shall`: they are not known, and
 * stay. Only names that belong to a copy are looked at.
 */
export function attributeChanges(
  place: EntryPlace,
  shall: readonly Attribute[] | undefined,
  rules: AttributeRules & AttributeScope,
): AttributeChanges {
  const { native } = rules;
  if (shall === undefined) return NO_CHANGES;
  const has = native === undefined ? [] : listed(native, place);
  if (has.length + shall.length === 0) return NO_CHANGES;
  const { settable, lacks } = settableOf(shall, rules);
  const own = has.filter((name) => isCompared(name, rules) && isAllowed(name, rules));
  const remove = own.filter((name) => !settable.has(textOf(name)));
  for (const name of own) {
    const attribute = settable.get(textOf(name));
    if (attribute !== undefined && native !== undefined && hasValue(native, place, attribute))
      settable.delete(textOf(name));
  }
  if (settable.size + remove.length + lacks.size === 0) return NO_CHANGES;
  return { set: [...settable.values()], remove, lacks };
}

/** Those that can be set, by name; and what the entry lacks without the others. */
function settableOf(shall: readonly Attribute[], rules: AttributeRules & AttributeScope) {
  const settable = new Map<string, Attribute>();
  const lacks = new Set<FidelityKind>();
  for (const attribute of shall.filter(({ name }) => isCompared(name, rules))) {
    const name = textOf(attribute.name);
    if (name === CAPABILITY && !rules.capabilities) lacks.add("setuid");
    else if (rules.native === undefined || !isAllowed(attribute.name, rules)) lacks.add(kindOf(name));
    else settable.set(name, attribute);
  }
  return { settable, lacks };
}

/** Whether it belongs to a copy under these rules. */
function isCompared(name: Uint8Array, { acls }: AttributeScope): boolean {
  return isCarriedAttribute(name) && (acls || !isAcl(name));
}

/** Whether this process may set and remove it. */
function isAllowed(name: Uint8Array, { isRoot }: AttributeRules): boolean {
  return isRoot || !isPrivilegedAttribute(name);
}

/** Does it; gives what could not be done. Throws what is no refusal. */
export function changeAttributes(native: Native, place: NativePlace, changes: AttributeChanges): Set<FidelityKind> {
  const lacks = new Set(changes.lacks);
  const attempt = (name: Uint8Array, work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      if (!REFUSALS.has(systemCode(thrown) ?? "")) throw thrown;
      lacks.add(kindOf(textOf(name)));
    }
  };
  for (const name of changes.remove) attempt(name, () => native.removeAttribute(place, name));
  for (const { name, value } of changes.set) attempt(name, () => native.setAttribute(place, name, value));
  return lacks;
}

/** Gives an entry those of another one that belong to a copy, as far as the system takes them. */
export function copyAttributes(native: Native, from: NativePlace, to: NativePlace): void {
  for (const name of listed(native, from).filter(isCarriedAttribute)) {
    try {
      const value = native.getAttribute(from, name);
      if (value !== undefined) native.setAttribute(to, name, value);
    } catch (thrown) {
      if (!REFUSALS.has(systemCode(thrown) ?? "")) throw thrown;
    }
  }
}

/** Whether it has any that belong to a copy. What cannot be asked counts as if it had. */
export function hasCarriedAttributes(native: Native, place: EntryPlace): boolean {
  try {
    return native.listAttributes(place).some(isCarriedAttribute);
  } catch {
    return true;
  }
}

/** A file system without attributes, or a file whose names may not be read, has none. */
function listed(native: Native, place: EntryPlace): Buffer[] {
  try {
    return native.listAttributes(place);
  } catch (thrown) {
    if (!REFUSALS.has(systemCode(thrown) ?? "")) throw thrown;
    return [];
  }
}

/** One that may not be read counts as another, and is set. */
function hasValue(native: Native, place: EntryPlace, { name, value }: Attribute): boolean {
  try {
    return native.getAttribute(place, name)?.equals(value) === true;
  } catch (thrown) {
    if (!REFUSALS.has(systemCode(thrown) ?? "")) throw thrown;
    return false;
  }
}

/** An access control list of an entry. Undefined when it has none, or it cannot be read. */
export function aclOf(native: Native, place: EntryPlace, name: string): Buffer | undefined {
  try {
    return native.getAttribute(place, Buffer.from(name));
  } catch (thrown) {
    if (!REFUSALS.has(systemCode(thrown) ?? "")) throw thrown;
    return undefined;
  }
}

function kindOf(name: string): FidelityKind {
  return isAclText(name) ? "acl" : "attributes";
}

function isAclText(name: string): boolean {
  return name === ACCESS_ACL || name === DEFAULT_ACL;
}

/** Whether it is a POSIX access control list. */
export function isAcl(name: Uint8Array): boolean {
  return isAclText(textOf(name));
}

function textOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1");
}
