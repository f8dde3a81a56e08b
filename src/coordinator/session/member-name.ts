/**
 * The name a member is shown under: its label if that is free, else with the first number that makes it so (`alpha-2`).
 */
export function uniqueName(label: string, taken: ReadonlySet<string>): string {
  if (!taken.has(label)) return label;
  for (let number = 2; ; number += 1) {
    const name = `${label}-${number}`;
    if (!taken.has(name)) return name;
  }
}
