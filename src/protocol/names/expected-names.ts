/** Sinks that a source expects by their names (`--expect`). Without such names every sink counts, and nobody is missing. */

/** Those that count for what the source waits for. */
export function countedOf<T extends { readonly name: string }>(
  expected: readonly string[],
  there: readonly T[],
): readonly T[] {
  return expected.length === 0 ? there : there.filter(({ name }) => expected.includes(name));
}

/** Who is expected and not there, in the order in which they were named. */
export function missingOf(expected: readonly string[], there: readonly { readonly name: string }[]): string[] {
  const names = new Set(there.map(({ name }) => name));
  return expected.filter((name) => !names.has(name));
}
