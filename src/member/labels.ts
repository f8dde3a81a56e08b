import { hostname } from "node:os";
import { basename } from "node:path";
import { LABEL_CHARS_MAX } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages/control.ts";

interface NamedMember {
  /** The name that a person asked for. */
  readonly name: string | undefined;
  /** Canonical path of the member's folder. */
  readonly folder: string;
}

/** What may stand in a name without quotes, in any script: in a shell, and in a list with commas. */
const UNSAFE = /[^\p{L}\p{M}\p{N}._-]+/gu;

/**
 * What a member is to be called. A name that a person asked for is the only one. Else it is the machine's name. Where
 * that is taken, the folder's name is added (`vm-backup-1`). So people can tell several on one machine apart.
 */
export function labelsOf(
  { name, folder }: NamedMember,
  machine = hostname(),
): Pick<Hello, "label" | "labelAsked" | "labelElse"> {
  if (name !== undefined) return { label: name, labelAsked: true };
  const own = basename(folder)
    .replaceAll(UNSAFE, "-")
    .replaceAll(/^-+|-+$/g, "");
  const label = { label: machine, labelAsked: false };
  return own === "" ? label : { ...label, labelElse: cut(`${machine}-${own}`) };
}

/** No longer than a label may be, and with no half of a character at its end. */
function cut(text: string): string {
  return text.slice(0, LABEL_CHARS_MAX).replace(/\p{Cs}$/u, "");
}
