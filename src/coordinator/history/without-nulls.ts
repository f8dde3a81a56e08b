/** A row of the database as it is told: a column without a value is a field that is not there. */
export function withoutNulls(row: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}
