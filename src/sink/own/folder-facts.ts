import { shape } from "../../protocol/shape/shapes.ts";
import { asSyncMark, type SyncMark } from "./sync-mark.ts";

/** What a sink's folder remembers in `.fanfold/facts`: one line of JSON. */
export interface FolderFacts {
  /** The secret half of the Ed25519 key that this sink is known by: 64 hex digits. */
  readonly seed: string;
  /** Identity of the source this folder belongs to since its first success. */
  readonly source?: string | undefined;
  /** Since it keeps snapshots. */
  readonly snapshots?: boolean | undefined;
  /** The program that makes snapshots of it failed behind the last copy. */
  readonly commandFailed?: boolean | undefined;
  /** A sink with age keys has had it: the names in it may be those of a copy for recipients. */
  readonly forRecipients?: boolean | undefined;
  /** When the copy was read again last, in milliseconds since 1970; or since when that is waited for. */
  readonly verifiedMs?: number | undefined;
  /** Undefined when it has none, or they cannot be understood. Then no file in the folder is trusted. */
  readonly mark?: SyncMark | undefined;
}

/** What a folder was found to remember: one of version 0.1 has no key yet. */
export type KnownFacts = Omit<FolderFacts, "seed"> & { readonly seed?: string | undefined };

export const FACTS_FILE = "facts";
/** The longest mark, with 64 doubts, is of 3 KiB. */
export const FACTS_BYTES_MAX = 16 * 1024;

const secret = shape.text().regex(/^[0-9a-f]{64}$/);
const rest = {
  snapshots: shape.flag().optional(),
  commandFailed: shape.flag().optional(),
  forRecipients: shape.flag().optional(),
  source: shape.text().max(128).optional(),
  verifiedMs: shape.int().nonnegative().optional(),
  mark: shape.unknown().optional(),
};
/** Version 0.1 had a secret instead of a key. It is of no more use. */
const formerShape = shape.object({ secret, ...rest });
const factsShape = shape.object({ seed: secret, ...rest });

/** The same facts are the same text. */
export function encodeFacts(facts: FolderFacts): string {
  const { seed, source, snapshots, commandFailed, forRecipients, verifiedMs, mark } = facts;
  return `${JSON.stringify({ seed, source, snapshots, commandFailed, forRecipients, verifiedMs, mark })}\n`;
}

/** @returns undefined for anything that is not what `encodeFacts` makes; a mark that is none is left out */
export function decodeFacts(bytes: Uint8Array): KnownFacts | undefined {
  if (bytes.length > FACTS_BYTES_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const found = factsShape.accept(value) ?? formerShape.accept(value);
    if (found === undefined) return undefined;
    const { mark, ...others } = found;
    const { source, snapshots, commandFailed, forRecipients, verifiedMs } = others;
    const known = { source, snapshots, commandFailed, forRecipients, verifiedMs, mark: asSyncMark(mark) };
    return { ...("seed" in found ? { seed: found.seed } : {}), ...known };
  } catch {
    return undefined;
  }
}
