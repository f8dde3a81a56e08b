import { z } from "zod";
import { asSyncMark, type SyncMark } from "./sync-mark.ts";

/** What a sink's folder remembers in `.fanfold/facts`: one line of JSON. */
export interface FolderFacts {
  /** Proves to a coordinator that this is the same sink coming back: 64 hex digits. */
  readonly secret: string;
  /** Identity of the source this folder belongs to since its first success. */
  readonly source?: string | undefined;
  /** Undefined when it has none, or they cannot be understood. Then no file in the folder is trusted. */
  readonly mark?: SyncMark | undefined;
}

export const FACTS_FILE = "facts";
/** The longest mark, with 64 doubts, is of 3 KiB. */
export const FACTS_BYTES_MAX = 16 * 1024;

const factsSchema = z.object({
  secret: z.string().regex(/^[0-9a-f]{64}$/),
  source: z.string().max(128).optional(),
  mark: z.unknown().transform(asSyncMark).optional(),
});

/** The same facts are the same text. */
export function encodeFacts({ secret, source, mark }: FolderFacts): string {
  return `${JSON.stringify({ secret, source, mark })}\n`;
}

/** @returns undefined for anything that is not what `encodeFacts` makes; a mark that is none is left out */
export function decodeFacts(bytes: Uint8Array): FolderFacts | undefined {
  if (bytes.length > FACTS_BYTES_MAX) return undefined;
  try {
    return factsSchema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))).data;
  } catch {
    return undefined;
  }
}
