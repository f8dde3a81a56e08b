import { ShapeFault } from "./fault.ts";

/**
 * What a value of JSON looks like, and whether one looks so. Messages are checked with shapes, which load at once. The API
 * makes schemas of the same shapes (api/schema-of.ts), as its answers hold what messages hold.
 */
export abstract class Shape<T> {
  /** A value of this shape, without fields that the shape has not. */
  abstract read(value: unknown): T | ShapeFault;

  /** The same; undefined for a value of any other shape. */
  accept(value: unknown): T | undefined {
    const read = this.read(value);
    return read instanceof ShapeFault ? undefined : read;
  }

  optional(): OptionalShape<T> {
    return new OptionalShape(this);
  }

  nullable(): NullableShape<T> {
    return new NullableShape(this);
  }

  /** A copy of `absent` stands for a field that is not there. */
  default(absent: T): DefaultShape<T> {
    return new DefaultShape(this, absent);
  }
}

/** What a shape reads. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** Of a field that may be absent. */
export class OptionalShape<T> extends Shape<T | undefined> {
  readonly kind = "optional";
  readonly inner: Shape<T>;

  constructor(inner: Shape<T>) {
    super();
    this.inner = inner;
  }

  read(value: unknown): T | undefined | ShapeFault {
    return value === undefined ? undefined : this.inner.read(value);
  }
}

export class NullableShape<T> extends Shape<T | null> {
  readonly kind = "nullable";
  readonly inner: Shape<T>;

  constructor(inner: Shape<T>) {
    super();
    this.inner = inner;
  }

  read(value: unknown): T | null | ShapeFault {
    return value === null ? null : this.inner.read(value);
  }
}

export class DefaultShape<T> extends Shape<T> {
  readonly kind = "default";
  readonly inner: Shape<T>;
  readonly absent: T;

  constructor(inner: Shape<T>, absent: T) {
    super();
    this.inner = inner;
    this.absent = absent;
  }

  read(value: unknown): T | ShapeFault {
    return value === undefined ? structuredClone(this.absent) : this.inner.read(value);
  }
}
