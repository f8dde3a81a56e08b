import type { IncomingHttpHeaders } from "node:http";
import { PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";
import type { PortRequest } from "./port-request.ts";

/** The answer to a request. A stream is read as fast as the client takes it, and ended when the client goes. */
export interface Answer {
  readonly status: number;
  /** Media type of a text in UTF-8. */
  readonly type: string;
  readonly body: string | Uint8Array | AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One whose body is whole. */
export interface TextAnswer extends Answer {
  readonly body: string;
}

/** What answers GET and HEAD of one path. `signal` ends when the client goes, or the server closes. */
export type Route = (signal: AbortSignal) => Answer;

/** What answers every method of all paths under `/api/`, and of the metrics. */
export type Api = (request: PortRequest) => Promise<Answer>;

/** What answers GET and HEAD of the web page and its files; undefined where nothing is. */
export type PageRoute = (path: string, headers: IncomingHttpHeaders) => Answer | undefined;

const ABOUT = `This is a fanfold coordinator (protocol version ${PROTOCOL_VERSION}).\nPoint "fanfold source" and "fanfold sink" here with --coordinator; ${PORT_PATHS.health} tells whether members can join.`;

/** The routes of a coordinator. `trouble`: why nobody can join now; undefined while members can. */
export function routesOf(trouble: () => string | undefined, access: AccessMode): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    [PORT_PATHS.live, () => health(undefined, access)],
    [PORT_PATHS.health, () => health(trouble(), access)],
    [PORT_PATHS.ready, () => health(trouble(), access)],
  ]);
}

/** A line of plain text. */
export function textAnswer(status: number, text: string): TextAnswer {
  return { status, type: "text/plain", body: `${text}\n` };
}

/** What stands under every other path. */
export const NOT_FOUND: TextAnswer = textAnswer(404, ABOUT);

/** What stands where the page was, when its program was replaced or removed under a coordinator that runs. */
export const PAGE_GONE: TextAnswer = textAnswer(
  500,
  "cannot show the web page: a part of this program is not on the disk any more; start the coordinator again",
);

/** Where not everybody may come in, not everybody learns where the broker is. */
const REASON_FOR_STRANGERS = "the broker cannot be used; the coordinator's log says why";

function health(trouble: string | undefined, access: AccessMode): Answer {
  const reason = trouble !== undefined && access === "guarded" ? REASON_FOR_STRANGERS : trouble;
  const state = reason === undefined ? { status: "ok" } : { status: "unavailable", reason };
  const warning = access === "insecure-open" ? { access } : {};
  const body = `${JSON.stringify({ ...state, version: PROTOCOL_VERSION, ...warning })}\n`;
  return { status: reason === undefined ? 200 : 503, type: "application/json", body };
}
