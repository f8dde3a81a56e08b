import { setFlagsFromString } from "node:v8";

/** Calls of a function before V8's slowest compiler takes it, which by itself does after 3,000. */
const CALLS_MIN = 30_000;

/**
 * From now on only what is called very often is compiled for the last few per cent. In a copy of some thousand entries that
 * takes longer than it saves.
 */
export function compileLate(): void {
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS_MIN}`);
}
