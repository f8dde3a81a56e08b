import { ShapeFault } from "./fault.ts";
import { WordShape } from "./plain.ts";
import { type OptionalShape, Shape, type Shaped } from "./shape.ts";

export class ListShape<T> extends Shape<T[]> {
  readonly item: Shape<T>;
  readonly itemsMin: number;
  readonly itemsMax: number | undefined;

  constructor(item: Shape<T>, itemsMin = 0, itemsMax?: number) {
    super();
    this.item = item;
    this.itemsMin = itemsMin;
    this.itemsMax = itemsMax;
  }

  min(items: number): ListShape<T> {
    return new ListShape(this.item, items, this.itemsMax);
  }

  max(items: number): ListShape<T> {
    return new ListShape(this.item, this.itemsMin, items);
  }

  read(value: unknown): T[] | ShapeFault {
    if (!Array.isArray(value)) return new ShapeFault("want a list");
    const { itemsMin, itemsMax = value.length } = this;
    if (value.length < itemsMin) return new ShapeFault(`want a list of at least ${itemsMin}`);
    if (value.length > itemsMax) return new ShapeFault(`want a list of at most ${itemsMax}`);
    const read: T[] = [];
    for (const [index, each] of value.entries()) {
      const item = this.item.read(each);
      if (item instanceof ShapeFault) return item.within(index);
      read.push(item);
    }
    return read;
  }
}

/** A list of as many items as there are shapes, each of its own shape. */
export class TupleShape<T extends readonly unknown[]> extends Shape<T> {
  readonly items: { readonly [At in keyof T]: Shape<T[At]> };

  constructor(items: { readonly [At in keyof T]: Shape<T[At]> }) {
    super();
    this.items = items;
  }

  read(value: unknown): T | ShapeFault {
    if (!Array.isArray(value) || value.length !== this.items.length)
      return new ShapeFault(`want a list of ${this.items.length}`);
    const read: unknown[] = [];
    for (const [index, item] of this.items.entries()) {
      const found = item.read(value[index]);
      if (found instanceof ShapeFault) return found.within(index);
      read.push(found);
    }
    return read as unknown as T;
  }
}

type RecordOf<Name extends string, T> = string extends Name ? Record<string, T> : Partial<Record<Name, T>>;

/** Values under names that a shape takes. */
export class RecordShape<Name extends string, T> extends Shape<RecordOf<Name, T>> {
  readonly name: Shape<Name>;
  readonly value: Shape<T>;

  constructor(name: Shape<Name>, value: Shape<T>) {
    super();
    this.name = name;
    this.value = value;
  }

  read(value: unknown): RecordOf<Name, T> | ShapeFault {
    if (!isObject(value)) return new ShapeFault("want an object");
    const read: Record<string, T> = {};
    for (const key of Object.keys(value)) {
      // An object of JavaScript cannot hold it as one of its own.
      if (key === "__proto__") continue;
      const name = this.name.read(key);
      if (name instanceof ShapeFault) return name.within(key);
      const found = this.value.read(value[key]);
      if (found instanceof ShapeFault) return found.within(key);
      read[name] = found;
    }
    return read as RecordOf<Name, T>;
  }
}

export type Fields = Readonly<Record<string, Shape<unknown>>>;
type OptionalNames<F> = { [Name in keyof F]: F[Name] extends OptionalShape<unknown> ? Name : never }[keyof F];
type Flat<T> = { [Name in keyof T]: T[Name] };
type ObjectOf<F> = Flat<
  { [Name in Exclude<keyof F, OptionalNames<F>>]: Shaped<F[Name]> } & {
    [Name in OptionalNames<F>]?: Shaped<F[Name]>;
  }
>;

/** What it has not among its fields is left out. */
export class ObjectShape<F extends Fields> extends Shape<ObjectOf<F>> {
  readonly fields: F;

  constructor(fields: F) {
    super();
    this.fields = fields;
  }

  read(value: unknown): ObjectOf<F> | ShapeFault {
    if (!isObject(value)) return new ShapeFault("want an object");
    const read: Record<string, unknown> = {};
    for (const name in this.fields) {
      const found = this.fields[name]?.read(value[name]);
      if (found instanceof ShapeFault) return found.within(name);
      if (found !== undefined) read[name] = found;
    }
    return read as ObjectOf<F>;
  }
}

/** One of several objects: the word in one field says which. */
export class VariantsShape<O extends ObjectShape<Fields>> extends Shape<Shaped<O>> {
  readonly field: string;
  readonly variants: readonly O[];
  readonly #byWord = new Map<unknown, O>();

  constructor(field: string, variants: readonly O[]) {
    super();
    this.field = field;
    this.variants = variants;
    for (const variant of variants) {
      const word = variant.fields[field];
      if (word instanceof WordShape) for (const each of word.words) this.#byWord.set(each, variant);
    }
  }

  read(value: unknown): Shaped<O> | ShapeFault {
    if (!isObject(value)) return new ShapeFault("want an object");
    const variant = this.#byWord.get(value[this.field]);
    if (variant === undefined) return new ShapeFault(`want ${[...this.#byWord.keys()].join(", ")}`, this.field);
    return variant.read(value) as Shaped<O> | ShapeFault;
  }
}

/** The first of several shapes that takes it. */
export class EitherShape<T> extends Shape<T> {
  readonly shapes: readonly Shape<T>[];

  constructor(shapes: readonly Shape<T>[]) {
    super();
    this.shapes = shapes;
  }

  read(value: unknown): T | ShapeFault {
    for (const each of this.shapes) {
      const found = each.read(value);
      if (!(found instanceof ShapeFault)) return found;
    }
    return new ShapeFault("want something else");
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
