/** Sum of two numbers of bytes. Files with holes can be so many and so long that it would not be exact: it stays where it can be told. */
export function sumBytes(one: number, other: number): number {
  return Math.min(one + other, Number.MAX_SAFE_INTEGER);
}
