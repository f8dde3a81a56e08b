import { z } from "zod";
import { EXACT_SCALE, type TimeScale } from "../metadata/time-scale.ts";

/** What the file system of a sink's folder does with what it is given; found out by trying. */
export interface FolderTraits {
  readonly scale: TimeScale;
  /** Files belong to who makes them; on some (FAT) to whom it was mounted for. */
  readonly keepsOwners: boolean;
}

export const USUAL_TRAITS: FolderTraits = { scale: EXACT_SCALE, keepsOwners: true };

/** As one line of JSON, in which numbers without limit are texts. */
export function encodeTraits({ scale, keepsOwners }: FolderTraits): string {
  const texts = Object.entries(scale).map(([key, value]) => [key, value?.toString() ?? null]);
  return `${JSON.stringify({ ...Object.fromEntries(texts), keepsOwners })}\n`;
}

/** Throws when the text is not what `encodeTraits` makes. */
export function decodeTraits(text: string): FolderTraits {
  const { unit, first, last, keepsOwners } = traitsSchema.parse(JSON.parse(text));
  const scale = {
    unit: BigInt(unit),
    first: first === null ? undefined : BigInt(first),
    last: last === null ? undefined : BigInt(last),
  };
  return { scale, keepsOwners };
}

const integer = z.string().regex(/^-?\d{1,30}$/);
const traitsSchema = z.object({
  unit: z.string().regex(/^[1-9]\d{0,12}$/),
  first: integer.nullable(),
  last: integer.nullable(),
  keepsOwners: z.boolean(),
});
