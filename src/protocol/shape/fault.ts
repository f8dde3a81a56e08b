/** What is wrong with a value, and where in it. */
export class ShapeFault {
  readonly reason: string;
  readonly path: string;

  constructor(reason: string, path = "") {
    this.reason = reason;
    this.path = path;
  }

  /** The same, seen from what has the value under this name. */
  within(name: string | number): ShapeFault {
    return new ShapeFault(this.reason, this.path === "" ? `${name}` : `${name}.${this.path}`);
  }

  toString(): string {
    return this.path === "" ? this.reason : `at "${this.path}": ${this.reason}`;
  }
}
