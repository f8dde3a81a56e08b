import type { LimitEvent } from "../../protocol/messages/events.ts";
import { rateWord } from "../../words/limit-words.ts";
import { detail, info, type Message } from "./view.ts";

const FROM = {
  option: "--bwlimit",
  timetable: "the timetable of --bwlimit",
  order: "an order of the coordinator",
} as const;

/** What holds this program from now on; its own option is nothing new to whoever typed it. */
export function limitMessage({ limit }: LimitEvent): Message {
  if (limit === undefined) return info("no limit of bandwidth any more");
  const { bytesPerSecond, from } = limit;
  const text =
    bytesPerSecond === null
      ? `no limit of bandwidth now (${FROM[from]})`
      : `at most ${rateWord(bytesPerSecond)} a second now (${FROM[from]})`;
  return from === "option" ? detail(text) : info(text);
}
