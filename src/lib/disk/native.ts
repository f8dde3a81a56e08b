import { createRequire } from "node:module";
import type { Native } from "./native-calls.ts";
import { openLinuxCalls } from "./native-linux.ts";

let loaded: { readonly native: Native | undefined } | undefined;

/**
 * Those calls, by koffi: loaded when the first of this thread's callers asks. Undefined where there is no koffi for the
 * platform, on other systems than Linux, and when the environment says `FANFOLD_NATIVE=0`. Callers do without, and report
 * what they could not carry.
 */
export function loadNative(): Native | undefined {
  // biome-ignore lint/style/noProcessEnv: a switch for people and tests, which every thread must see
  if (process.env["FANFOLD_NATIVE"] === "0") return undefined;
  loaded ??= { native: open() };
  return loaded.native;
}

function open(): Native | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return openLinuxCalls(createRequire(import.meta.url)("koffi"));
  } catch {
    return undefined;
  }
}
