import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import { fitSummary } from "../../protocol/messages/fit-message.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";

/** What people are told of: the end of a session, and a name without a whole copy in time. */
export type NoticeEvent = Extract<CoordinatorEvent, { type: "ended" | "missed" | "recovered" }>;

/** The same, as it is sent: an event of the stream, and of a session that its source finished the summary. */
type Notice = { readonly time: string } & NoticeEvent & { readonly summary?: SessionSummary };

/** An end that was just written down, or is so in the same transaction. */
export interface NotedEnd {
  readonly session: string;
  readonly sessionId: string;
  readonly result: string;
  readonly reason?: string;
  readonly summary?: SessionSummary;
}

/** Receivers of webhooks often take no more; lists get shorter, counts stay. */
const SUMMARY_BYTES_MAX = 200 * 1024;

export function noticeText(event: NoticeEvent, at: Date, summary?: SessionSummary): string {
  const notice: Notice = {
    time: at.toISOString(),
    ...event,
    ...(summary === undefined ? {} : { summary: fitSummary(summary, SUMMARY_BYTES_MAX) }),
  };
  return JSON.stringify(notice);
}

/** What a notice is about, for the log and for the environment of a command. */
type NoticeFacts = Pick<NoticeEvent, "type" | "session"> & {
  readonly time: string;
  readonly sessionId?: string;
  readonly result?: string;
};

export function factsOf(body: string): NoticeFacts {
  const { type, session, time, ...rest } = JSON.parse(body) as Notice;
  const { sessionId, result } = rest as { readonly sessionId?: string; readonly result?: string };
  return {
    ...{ type, session, time },
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(result === undefined ? {} : { result }),
  };
}
