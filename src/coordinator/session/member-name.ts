/**
 * The name that a member is shown under: the first of its labels that is free. If none is, the last label gets the first
 * number that makes it free (`alpha-2`).
 */
export function uniqueName([label, ...others]: readonly [string, ...string[]], taken: ReadonlySet<string>): string {
  if (!taken.has(label)) return label;
  const [next, ...rest] = others;
  if (next !== undefined) return uniqueName([next, ...rest], taken);
  for (let number = 2; ; number += 1) {
    const name = `${label}-${number}`;
    if (!taken.has(name)) return name;
  }
}
