import { plural } from "./format.ts";

/** For whom a session is encrypted. */
export function sealedText({ recipients }: { readonly recipients?: number }): string {
  if (recipients === undefined) return "encrypted from source to sinks; the coordinator passes the key on";
  return `encrypted from source to sinks, for ${plural(recipients, "recipient")} only`;
}
