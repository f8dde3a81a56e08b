import { FanfoldError } from "../../lib/errors.ts";
import { ShapeFault } from "../../protocol/shape/fault.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import { EXACT_SCALE, type TimeScale } from "../metadata/time-scale.ts";

/** What the file system of a sink's folder does with what it is given; found out by trying. */
export interface FolderTraits {
  readonly scale: TimeScale;
  /** Files belong to who makes them; on some (FAT) to whom it was mounted for. */
  readonly keepsOwners: boolean;
  /** Some in user space take a time of modification with one of access only, and leave out without a word what comes alone. */
  readonly setsTimesTogether: boolean;
}

export const USUAL_TRAITS: FolderTraits = { scale: EXACT_SCALE, keepsOwners: true, setsTimesTogether: false };

/** As one line of JSON, in which numbers without limit are texts. */
export function encodeTraits({ scale, ...others }: FolderTraits): string {
  const texts = Object.entries(scale).map(([key, value]) => [key, value?.toString() ?? null]);
  return `${JSON.stringify({ ...Object.fromEntries(texts), ...others })}\n`;
}

/** Throws when the text is not what `encodeTraits` makes. */
export function decodeTraits(text: string): FolderTraits {
  const traits = traitsShape.read(JSON.parse(text));
  if (traits instanceof ShapeFault) throw new FanfoldError("damaged", `cannot read what a folder is like: ${traits}`);
  const { unit, first, last, ...others } = traits;
  const scale = {
    unit: BigInt(unit),
    first: first === null ? undefined : BigInt(first),
    last: last === null ? undefined : BigInt(last),
  };
  return { scale, ...others };
}

const integer = shape.text().regex(/^-?\d{1,30}$/);
const traitsShape = shape.object({
  unit: shape.text().regex(/^[1-9]\d{0,12}$/),
  first: integer.nullable(),
  last: integer.nullable(),
  keepsOwners: shape.flag(),
  setsTimesTogether: shape.flag(),
});
