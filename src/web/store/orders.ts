import { API_PATHS } from "../../protocol/coordinator-port.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import { plural } from "../../words/format.ts";
import { limitText } from "../words/limit-words.ts";
import { ask } from "./ask.ts";
import { logIn } from "./link.ts";
import { pose } from "./question.ts";

/** What somebody orders on the page. Each is asked for first. */
export function askToCancel({ session, sessionId, sinks, state }: SessionView): void {
  const isCopying = state !== "waiting";
  pose({
    title: `Cancel ${session}?`,
    words: isCopying
      ? [
          `The copy ends for the source and for ${plural(sinks.length, "sink")}.`,
          "Files that are complete stay, and the next session sends only what is missing.",
        ]
      : [`Nobody waits for it any more. ${plural(sinks.length, "sink")} and the source are told.`],
    does: "Cancel the session",
    isGrave: true,
    act: async () => {
      await ask(sessionAt(sessionId), { method: "DELETE" });
    },
  });
}

export function askToDrop({ session, sessionId }: SessionView, sink: string): void {
  pose({
    title: `Drop ${sink} from ${session}?`,
    words: [
      "The others go on without it, and its copy stays as far as it is.",
      "It may come again: it is not kept out. To keep it out, use fanfold members remove.",
    ],
    does: "Drop the sink",
    isGrave: true,
    act: async () => {
      await ask(`${sessionAt(sessionId)}/sinks/${encodeURIComponent(sink)}`, { method: "DELETE" });
    },
  });
}

/** `sink`: undefined is the source. */
export function askForLimit(view: SessionView, sink: string | undefined): void {
  const { session, sessionId, source = "the source" } = view;
  const line = view.sinks.find(({ name }) => name === sink);
  const place = sink === undefined ? sessionAt(sessionId) : `${sessionAt(sessionId)}/sinks/${encodeURIComponent(sink)}`;
  pose({
    title: `Limit ${sink ?? source} in ${session}`,
    words: [
      sink === undefined ? "How much the source sends in a second." : "How much this sink takes in a second.",
      `Now: ${limitText(line ?? view)}.`,
    ],
    does: "Set the limit",
    isGrave: false,
    field: {
      label: "Limit",
      value: "",
      hint: "20M or 500K a second; off for none; a timetable like 08:00,2M 19:00,off; default for what it was started with",
      choices: ["500K", "2M", "20M", "off", "default"],
    },
    act: async (limit) => {
      await ask(`${place}/limit`, { method: "PUT", body: { limit } });
    },
  });
}

export function askToLogIn(): void {
  pose({
    title: "Log in",
    words: ["An admin may cancel sessions, drop sinks and set limits. An observer may look."],
    does: "Log in",
    isGrave: false,
    field: {
      label: "Token",
      value: "",
      hint: "fanfold token create --role admin makes one, on the coordinator's machine",
      choices: [],
      isSecret: true,
    },
    act: logIn,
  });
}

function sessionAt(id: string): string {
  return `${API_PATHS.sessions}/${encodeURIComponent(id)}`;
}
