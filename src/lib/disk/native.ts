import { loadKoffi } from "../koffi.ts";
import type { Native } from "./native-calls.ts";
import { openLinuxCalls } from "./native-linux.ts";

let opened: { readonly native: Native | undefined } | undefined;

/**
 * Those calls, bound when the first of this thread's callers asks. Undefined without koffi, and on other systems than
 * Linux. Callers do without, and report what they could not carry.
 */
export function loadNative(): Native | undefined {
  if (loadKoffi() === undefined) return undefined;
  opened ??= { native: open() };
  return opened.native;
}

function open(): Native | undefined {
  const koffi = loadKoffi();
  if (koffi === undefined || process.platform !== "linux") return undefined;
  try {
    return openLinuxCalls(koffi);
  } catch {
    return undefined;
  }
}
