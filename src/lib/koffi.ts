import { createRequire } from "node:module";
import type Koffi from "koffi";

let loaded: { readonly koffi: typeof Koffi | undefined } | undefined;

/**
 * What calls functions of C, loaded when the first of this thread's callers asks. Undefined where there is none for the
 * platform, and when the environment says `FANFOLD_NATIVE=0`: all that uses it does without.
 */
export function loadKoffi(): typeof Koffi | undefined {
  // biome-ignore lint/style/noProcessEnv: a switch for people and tests, which every thread must see
  if (process.env["FANFOLD_NATIVE"] === "0") return undefined;
  loaded ??= { koffi: load() };
  return loaded.koffi;
}

function load(): typeof Koffi | undefined {
  try {
    return createRequire(import.meta.url)("koffi") as typeof Koffi;
  } catch {
    return undefined;
  }
}
