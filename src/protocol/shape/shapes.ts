import {
  EitherShape,
  type Fields,
  ListShape,
  ObjectShape,
  RecordShape,
  TupleShape,
  VariantsShape,
} from "./compound.ts";
import { FlagShape, NumberShape, TextShape, UnknownShape, WordShape } from "./plain.ts";
import type { Shape, Shaped } from "./shape.ts";

/** How shapes are made. */
export const shape = {
  text: () => new TextShape(),
  /** A whole number that JavaScript holds exactly. */
  int: () => new NumberShape({ isWhole: true }),
  number: () => new NumberShape({ isWhole: false }),
  flag: () => new FlagShape(),
  literal: <const Word extends string>(word: Word) => new WordShape<Word>([word]),
  word: <const Word extends string>(words: readonly Word[]) => new WordShape<Word>(words),
  unknown: () => new UnknownShape(),
  list: <T>(item: Shape<T>) => new ListShape(item),
  tuple: <T extends readonly unknown[]>(...items: { readonly [At in keyof T]: Shape<T[At]> }) =>
    new TupleShape<T>(items),
  record: <Name extends string, T>(name: Shape<Name>, value: Shape<T>) => new RecordShape(name, value),
  object: <const F extends Fields>(fields: F) => new ObjectShape(fields),
  variants: <const O extends ObjectShape<Fields>>(field: string, variants: readonly O[]) =>
    new VariantsShape(field, variants),
  either: <const S extends Shape<unknown>>(shapes: readonly S[]) =>
    new EitherShape<Shaped<S>>(shapes as unknown as readonly Shape<Shaped<S>>[]),
} as const;
