import { PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";

/** The answer to a request. A stream is read as fast as the client takes it, and ended when the client goes. */
export interface Answer {
  readonly status: number;
  /** Media type of a text in UTF-8. */
  readonly type: string;
  readonly body: string | AsyncIterable<string>;
}

/** One whose body is whole. */
export interface TextAnswer extends Answer {
  readonly body: string;
}

/** What answers GET and HEAD of one path. `signal` ends when the client goes, or the server closes. */
export type Route = (signal: AbortSignal) => Answer;

const ABOUT = `This is a fanfold coordinator (protocol version ${PROTOCOL_VERSION}).\nPoint "fanfold source" and "fanfold sink" here with --coordinator; ${PORT_PATHS.health} tells whether members can join.`;

/** The routes of a coordinator. `trouble`: why nobody can join now; undefined while members can. */
export function routesOf(trouble: () => string | undefined): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    [PORT_PATHS.live, () => health(undefined)],
    [PORT_PATHS.health, () => health(trouble())],
  ]);
}

/** A line of plain text. */
export function textAnswer(status: number, text: string): TextAnswer {
  return { status, type: "text/plain", body: `${text}\n` };
}

/** What stands under every other path. */
export const NOT_FOUND: TextAnswer = textAnswer(404, ABOUT);

function health(reason: string | undefined): Answer {
  const state = reason === undefined ? { status: "ok" } : { status: "unavailable", reason };
  const body = `${JSON.stringify({ ...state, version: PROTOCOL_VERSION })}\n`;
  return { status: reason === undefined ? 200 : 503, type: "application/json", body };
}
