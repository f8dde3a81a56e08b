import type { HeldBack } from "../protocol/messages/held-back.ts";
import { formatRate } from "./format.ts";

/** `held back by beta: its disk writes 38 MiB/s`, `held back by the source: its link carries 11 MiB/s` */
export function heldBackText({ sink, place, bytesPerSecond }: HeldBack): string {
  const what = sink === undefined ? AT_SOURCE[place] : AT_SINK[place];
  const rate = place === "hashing" ? "" : ` ${formatRate(bytesPerSecond)}`;
  return `held back by ${sink ?? "the source"}: ${what}${rate}`;
}

const AT_SOURCE = {
  link: "its link carries",
  disk: "its disk reads",
  processor: "its processor manages",
  hashing: "it reads its files",
} as const;

const AT_SINK = {
  link: "its link brings",
  disk: "its disk writes",
  processor: "its processor manages",
  hashing: "it reads what it holds already",
} as const;
