import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import { formatElapsed } from "../../words/format.ts";
import { minuteOf } from "./records/record-words.ts";
import type { Style } from "./text/style.ts";
import { detail, info, type Message, warning } from "./view.ts";

type WatchEvent = Extract<CoordinatorEvent, { type: "missed" | "recovered" | "told" }>;

/** What a coordinator says of names that are watched, and of whom it told. */
export function noticeMessages(event: WatchEvent, style: Style): Message[] {
  const { session } = event;
  if (event.type === "told") {
    const text = `${session}: told of "${event.about}" by ${event.via}`;
    return event.output === undefined ? [detail(text)] : [info(`${text}; it said: ${event.output}`)];
  }
  if (event.type === "recovered") return [info(`${session}: ${style.good("recovered")}, it has a whole copy again`)];
  const { lastProven, since, withinMs } = event;
  const last =
    lastProven === undefined ? `none since ${minuteOf(since)}` : `the last one ended ${minuteOf(lastProven)}`;
  return [warning(`${session}: missed, no whole copy in ${formatElapsed(withinMs)}: ${last} UTC`)];
}
