import { findProgram } from "../brokers/broker-programs.ts";

/**
 * Whether programs of the system are there: for `test.skipIf(!programsAvailable("script"))`. What is missing is said
 * aloud, once; in CI it is an error.
 */
export function programsAvailable(...names: readonly string[]): boolean {
  const missing = names.filter((name) => findProgram(name) === undefined);
  const text = `Not installed: ${missing.join(", ")}`;
  if (missing.length === 0) return true;
  if (![undefined, "", "0", "false"].includes(process.env["CI"])) throw new Error(text);
  if (!said.has(text)) console.warn(`SKIPPED what needs programs. ${text}`);
  said.add(text);
  return false;
}

const said = new Set<string>();

/** Whether a process can be held to permission bits: root needs a program for it. */
export function permissionsTestable(): boolean {
  return process.getuid?.() !== 0 || programsAvailable("setpriv");
}
