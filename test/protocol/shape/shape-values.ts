import fc from "fast-check";
import {
  EitherShape,
  ListShape,
  ObjectShape,
  RecordShape,
  TupleShape,
  VariantsShape,
} from "../../../src/protocol/shape/compound.ts";
import { FlagShape, NumberShape, TextShape, WordShape } from "../../../src/protocol/shape/plain.ts";
import { DefaultShape, NullableShape, OptionalShape, type Shape } from "../../../src/protocol/shape/shape.ts";

const TIMES = ["2026-11-26T10:00:00.000Z", "2000-01-01T00:00:00.123456789Z"];
/** Near the edge of what some shape takes. */
const ODD: readonly unknown[] = [
  null,
  true,
  "",
  "a",
  "x".repeat(5000),
  "2026-02-30T10:00:00Z",
  "2024-02-29T23:59Z",
  "2025-02-29T10:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T10:00:60Z",
  "2026-01-01T10:00:00+01:00",
  "2026-01-01 10:00:00Z",
  "0000-02-29T00:00:00Z",
  "1\n",
  "a\u0007b",
  "\u2028",
  0,
  -0,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  [],
  [1, 2],
  {},
  { type: "ready" },
];

/** Values of JSON that a shape takes, most of the time. */
export function valuesOf(shape: Shape<unknown>): fc.Arbitrary<unknown> {
  if (shape instanceof OptionalShape || shape instanceof DefaultShape) return valuesOf(shape.inner);
  if (shape instanceof NullableShape) return fc.oneof(fc.constant(null), valuesOf(shape.inner));
  if (shape instanceof TextShape) return texts(shape);
  if (shape instanceof NumberShape) return numbers(shape);
  if (shape instanceof FlagShape) return fc.boolean();
  if (shape instanceof WordShape) return fc.constantFrom(...shape.words);
  if (shape instanceof ListShape) {
    const { item, itemsMin, itemsMax = itemsMin + 3 } = shape;
    return fc.array(valuesOf(item), { minLength: itemsMin, maxLength: Math.min(itemsMax, itemsMin + 3) });
  }
  if (shape instanceof TupleShape) return fc.tuple(...shape.items.map(valuesOf));
  if (shape instanceof RecordShape)
    return fc.dictionary(fc.oneof(valuesOf(shape.name) as fc.Arbitrary<string>, fc.string()), valuesOf(shape.value), {
      maxKeys: 3,
    });
  if (shape instanceof ObjectShape) return objects(shape);
  if (shape instanceof VariantsShape) return fc.oneof(...shape.variants.map(valuesOf));
  if (shape instanceof EitherShape) return fc.oneof(...shape.shapes.map(valuesOf));
  return fc.jsonValue();
}

function texts({ rules: { charsMin = 0, charsMax = 40, pattern, isDateTime = false } }: TextShape) {
  if (isDateTime) return fc.constantFrom(...TIMES);
  // Those of classes of Unicode take most texts, and long to make.
  if (pattern !== undefined && !pattern.unicode) return fc.stringMatching(pattern);
  return fc.string({ minLength: charsMin, maxLength: Math.min(charsMax, charsMin + 10) });
}

function numbers({ rules: { isWhole, min, max } }: NumberShape) {
  const edges = fc.constantFrom(...[min, max, 1].filter((edge) => edge !== undefined));
  if (!isWhole) return fc.oneof(edges, fc.double({ noNaN: true, noDefaultInfinity: true, min: min ?? -1e9 }));
  return fc.oneof(edges, fc.integer({ min: min ?? -5, max: Math.min(max ?? 1000, 2 ** 31 - 1) }));
}

function objects({ fields }: ObjectShape<Readonly<Record<string, Shape<unknown>>>>) {
  const optional = (each: Shape<unknown>): boolean => each instanceof OptionalShape || each instanceof DefaultShape;
  const entries = Object.entries(fields);
  return fc.record(Object.fromEntries(entries.map(([name, field]) => [name, valuesOf(field)])), {
    requiredKeys: entries.flatMap(([name, field]) => (optional(field) ? [] : [name])),
  });
}

/** The same value with one part replaced by something odd, left out, or with a field more. */
export function spoilt(value: unknown): fc.Arbitrary<unknown> {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const here = fc.constantFrom(...ODD);
  if (inner.length === 0) return here;
  const below = fc.constantFrom(...inner).chain(([name, part]) => spoilt(part).map((bad) => put(value, name, bad)));
  const without = fc.constantFrom(...inner).map(([name]) => put(value, name, undefined));
  const more = fc.constantFrom("other", "__proto__", "toString").map((name) => put(value, name, 1));
  return fc.oneof({ weight: 6, arbitrary: below }, { weight: 1, arbitrary: here }, without, more);
}

/** As JSON brings it: `__proto__` is a field like others. */
function put(value: unknown, name: string, part: unknown): unknown {
  if (Array.isArray(value)) return part === undefined ? value.slice(1) : value.with(Number(name) || 0, part);
  const copy: Record<string, unknown> = JSON.parse(JSON.stringify(value));
  Object.defineProperty(copy, name, { value: part, enumerable: true, configurable: true, writable: true });
  return JSON.parse(JSON.stringify(copy));
}
