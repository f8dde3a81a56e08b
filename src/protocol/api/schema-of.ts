import { z } from "zod";
import {
  EitherShape,
  type Fields,
  ListShape,
  ObjectShape,
  RecordShape,
  TupleShape,
  VariantsShape,
} from "../shape/compound.ts";
import { FlagShape, NumberShape, TextShape, UnknownShape, WordShape } from "../shape/plain.ts";
import { DefaultShape, NullableShape, OptionalShape, type Shape } from "../shape/shape.ts";

const made = new WeakMap<Shape<unknown>, z.ZodType>();

/** The schema that takes what a shape takes, for the API and its description. The same shape gives the same schema. */
export function schemaOf<T>(shape: Shape<T>): z.ZodType<T> {
  const schema = made.get(shape) ?? schemaFor(shape);
  made.set(shape, schema);
  return schema as z.ZodType<T>;
}

function schemaFor(shape: Shape<unknown>): z.ZodType {
  if (shape instanceof OptionalShape) return schemaOf(shape.inner).optional();
  if (shape instanceof NullableShape) return schemaOf(shape.inner).nullable();
  if (shape instanceof DefaultShape) return schemaOf(shape.inner).default(shape.absent);
  return plainSchema(shape) ?? compoundSchema(shape);
}

function plainSchema(shape: Shape<unknown>): z.ZodType | undefined {
  if (shape instanceof TextShape) return textSchema(shape);
  if (shape instanceof NumberShape) return numberSchema(shape);
  if (shape instanceof FlagShape) return z.boolean();
  if (shape instanceof WordShape) return wordSchema(shape);
  return shape instanceof UnknownShape ? z.unknown() : undefined;
}

function compoundSchema(shape: Shape<unknown>): z.ZodType {
  if (shape instanceof ListShape) return listSchema(shape);
  if (shape instanceof TupleShape) return tupleSchema(shape);
  if (shape instanceof RecordShape) return recordSchema(shape);
  if (shape instanceof ObjectShape) return objectSchema(shape);
  if (shape instanceof VariantsShape) return variantsSchema(shape.field, shape.variants);
  if (shape instanceof EitherShape) return z.union(shape.shapes.map((each) => schemaOf(each)));
  throw new TypeError("no schema for this shape");
}

function textSchema({ rules }: TextShape): z.ZodType {
  const { charsMin, charsMax, pattern, wanted, isDateTime = false, judge } = rules;
  let schema = isDateTime ? z.iso.datetime() : z.string();
  if (charsMin !== undefined) schema = schema.min(charsMin);
  if (charsMax !== undefined) schema = schema.max(charsMax);
  if (pattern !== undefined) schema = schema.regex(pattern, wanted);
  if (judge === undefined) return schema;
  return schema.superRefine((text, context) => {
    const refused = judge(text);
    if (refused !== undefined) context.addIssue({ code: "custom", message: refused });
  });
}

function numberSchema({ rules: { isWhole, min, max } }: NumberShape): z.ZodType {
  let schema = isWhole ? z.int() : z.number();
  if (min !== undefined) schema = schema.min(min);
  if (max !== undefined) schema = schema.max(max);
  return schema;
}

function wordSchema({ words }: WordShape<string>): z.ZodType {
  const [only] = words;
  return words.length === 1 && only !== undefined ? z.literal(only) : z.enum([...words]);
}

function listSchema({ item, itemsMin, itemsMax }: ListShape<unknown>): z.ZodType {
  let schema = z.array(schemaOf(item));
  if (itemsMin > 0) schema = schema.min(itemsMin);
  if (itemsMax !== undefined) schema = schema.max(itemsMax);
  return schema;
}

function tupleSchema({ items }: TupleShape<readonly unknown[]>): z.ZodType {
  const [first, ...rest] = items.map((item) => schemaOf(item));
  return first === undefined ? z.tuple([]) : z.tuple([first, ...rest]);
}

function recordSchema({ name, value }: RecordShape<string, unknown>): z.ZodType {
  const names = schemaOf(name) as z.ZodType<string, string>;
  return name instanceof WordShape ? z.partialRecord(names, schemaOf(value)) : z.record(names, schemaOf(value));
}

function objectSchema({ fields }: ObjectShape<Fields>): z.ZodObject {
  return z.object(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, schemaOf(field)])));
}

function variantsSchema(field: string, variants: readonly ObjectShape<Fields>[]): z.ZodType {
  const [first, ...rest] = variants.map((variant) => objectSchema(variant));
  if (first === undefined) throw new TypeError("no variants");
  return z.discriminatedUnion(field, [first, ...rest]);
}
