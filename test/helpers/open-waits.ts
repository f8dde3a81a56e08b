/** Of this test file: what is waited for, told only when a test has failed. */
const waits = new Set<() => string>();

/** Waits, and lets the report of a test that ran out of time say for what. */
export async function awaited<T>(what: () => string, wait: Promise<T>): Promise<T> {
  waits.add(what);
  try {
    return await wait;
  } finally {
    waits.delete(what);
  }
}

export function openWaits(): string[] {
  return [...waits].map((what) => what());
}

/** Files that share a process do not tell of each other. */
export function forgetWaits(): void {
  waits.clear();
}
