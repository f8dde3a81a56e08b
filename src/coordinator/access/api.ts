import { FanfoldError } from "../../lib/errors.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { PortRequest } from "../port/port-request.ts";
import type { Answer, Api } from "../port/routes.ts";
import type { TokenRecord } from "./access-store.ts";
import type { ApiPage, ApiPages } from "./api-page.ts";
import type { Failed } from "./attempts.ts";
import type { BrowserSessions } from "./browser-sessions.ts";
import { Callers } from "./callers.ts";
import type { AccessDesk } from "./desk.ts";
import { cookieOf, type Gatekeeper, type Right } from "./gatekeeper.ts";
import { loginView, viewOf } from "./login-view.ts";
import { problemAnswer } from "./problem.ts";
import { bodyOf } from "./request-body.ts";

interface ApiParts {
  readonly desk: AccessDesk;
  readonly gatekeeper: Gatekeeper;
  readonly browsers: BrowserSessions;
  /** What somebody who failed is told, after the time that it has to wait for it. */
  readonly refusal: (failure: FanfoldError, who: Failed, signal: AbortSignal) => Promise<FanfoldError>;
  readonly sessions: () => readonly SessionView[];
  /** All that is not about tokens and members: loaded when somebody asks for it. */
  readonly pages: () => Promise<ApiPages>;
  /** Sessions are for everybody to read where everybody may take part in them. */
  readonly isOpen: boolean;
  readonly access: AccessMode;
}

interface GrantedCall extends ApiParts {
  readonly request: PortRequest;
  /** By which the request is granted; undefined where everybody may. */
  readonly token: TokenRecord | undefined;
  /** What follows the path of the collection: an id or a key. */
  readonly name: string;
}

interface Endpoint {
  /** Undefined: everybody may. */
  right(parts: ApiParts): Right | undefined;
  answer(call: GrantedCall): Answer | Promise<Answer>;
}

const read = (): Right => "read";
const change = (): Right => "change";
const readUnlessOpen = ({ isOpen }: ApiParts): Right | undefined => (isOpen ? undefined : "read");

/** By method and path; `/*` stands for one more name. */
const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  [
    `GET ${API_PATHS.sessions}`,
    { right: readUnlessOpen, answer: ({ sessions }) => json(200, { sessions: sessions() }) },
  ],
  [`GET ${API_PATHS.tokens}`, { right: read, answer: ({ desk }) => json(200, { tokens: desk.tokens() }) }],
  [
    `POST ${API_PATHS.tokens}`,
    {
      right: change,
      answer: async ({ desk, request }) => {
        const { tokenOrderSchema } = await import("../../protocol/access/operator-api.ts");
        const token = desk.createToken(await bodyOf(request, tokenOrderSchema));
        return { ...json(201, token), headers: { location: `${API_PATHS.tokens}/${token.id}` } };
      },
    },
  ],
  // A browser shows its token once, and has a cookie then.
  [
    `POST ${API_PATHS.login}`,
    {
      right: read,
      answer: ({ access, browsers, token, request }) => {
        if (token === undefined) throw new FanfoldError("internal", "cannot log in: found no token");
        return {
          ...json(200, viewOf(access, token)),
          headers: { "set-cookie": browsers.open(token, cookieOf(request)) },
        };
      },
    },
  ],
  // The page asks it first, to learn whether it has to ask for a token. A member learns what its own token is.
  [
    `GET ${API_PATHS.login}`,
    { right: () => "own", answer: async (call) => json(200, await loginView(call, call.token)) },
  ],
  [
    `DELETE ${API_PATHS.login}`,
    {
      right: () => undefined,
      answer: ({ browsers, request }) => ({
        ...json(200, {}),
        headers: { "set-cookie": browsers.close(request.headers.cookie, cookieOf(request)) },
      }),
    },
  ],
  // It shows the secret.
  [`GET ${API_PATHS.tokens}/*`, { right: change, answer: ({ desk, name }) => found(() => desk.showToken(name)) }],
  [`DELETE ${API_PATHS.tokens}/*`, { right: change, answer: ({ desk, name }) => found(() => desk.revokeToken(name)) }],
  [`GET ${API_PATHS.members}`, { right: read, answer: ({ desk }) => json(200, { members: desk.members() }) }],
  [
    `DELETE ${API_PATHS.members}/*`,
    { right: change, answer: ({ desk, name }) => found(() => ({ members: desk.removeMember(name) })) },
  ],
  [
    `PATCH ${API_PATHS.members}/*`,
    {
      right: change,
      answer: async ({ desk, name, request }) => {
        const { memberChangeSchema } = await import("../../protocol/access/operator-api.ts");
        const { name: label } = await bodyOf(request, memberChangeSchema);
        return found(() => ({ members: desk.renameMember(name, label) }));
      },
    },
  ],
]);

/** The API under `/api/v1`: what those who run a coordinator read and change. It never rejects. */
export function apiOf(parts: ApiParts): Api {
  const callers = new Callers();
  return async (request) => {
    try {
      const own = placeIn(ENDPOINTS, request);
      if (own.endpoint === undefined) return await answerPage(parts, callers, request);
      const { endpoint, name } = own;
      const token = await grant(parts, request, endpoint.right(parts));
      welcome(callers, request, token);
      return await endpoint.answer({ ...parts, request, token, name });
    } catch (thrown) {
      return problemAnswer(thrown);
    }
  };
}

async function answerPage(parts: ApiParts, callers: Callers, request: PortRequest): Promise<Answer> {
  const pages = await parts.pages();
  const { endpoint: page, name, within } = placeIn(pages, request);
  if (page === undefined) return nothingThere(request, [...ENDPOINTS.keys(), ...pages.keys()]);
  const right = rightFor(page, parts);
  welcome(callers, request, await grant(parts, request, right));
  const isStillGranted = (): boolean => {
    try {
      if (right !== undefined) parts.gatekeeper.check(request, right);
      return true;
    } catch {
      return false;
    }
  };
  return await page.answer({ request, name, within, isStillGranted });
}

function rightFor({ right }: ApiPage, parts: ApiParts): Right | undefined {
  if (right === "nothing") return undefined;
  return right === "read-unless-open" ? readUnlessOpen(parts) : right;
}

/** Whose token grants a request has the time that it needs. @throws FanfoldError `too-many` */
function welcome(callers: Callers, request: PortRequest, token: TokenRecord | undefined): void {
  if (token === undefined) return;
  callers.enter(token.id, request.signal);
  request.authenticated();
}

/** @throws FanfoldError why the request is not granted */
async function grant(
  { gatekeeper, refusal }: ApiParts,
  request: PortRequest,
  right: Right | undefined,
): Promise<TokenRecord | undefined> {
  // A token that is shown has to be good, also where none is needed: the port took the request as that of a program.
  const needsNone = right === undefined || right === "own";
  if (needsNone && request.headers.authorization === undefined) return undefined;
  try {
    return gatekeeper.check(request, right ?? "read");
  } catch (thrown) {
    const failure = FanfoldError.from(thrown);
    // The token is good, for something else: who shows it guesses nothing.
    if (failure.code === "token-role") throw failure;
    throw await refusal(failure, { address: request.address }, request.signal);
  }
}

function placeIn<T>(
  endpoints: ReadonlyMap<string, T>,
  { method, path }: PortRequest,
): { readonly endpoint: T | undefined; readonly name: string; readonly within: string } {
  const asked = method === "HEAD" ? "GET" : method;
  const exact = endpoints.get(`${asked} ${path}`);
  if (exact !== undefined) return { endpoint: exact, name: "", within: "" };
  const names = path.split("/");
  for (const starred of PATTERNS) {
    const endpoint = endpoints.get(`${asked} ${patternOf(names, starred)}`);
    const [name, within] = starred.map((at) => names.at(at) ?? "");
    if (endpoint !== undefined) return { endpoint, name: name ?? "", within: within ?? "" };
  }
  return { endpoint: undefined, name: "", within: "" };
}

/** Where names may stand in a path, counted from its end: of what it is about, and of what that is in. */
const PATTERNS: readonly (readonly number[])[] = [[-1], [-1, -3], [-2], [-2, -4]];

function patternOf(names: readonly string[], starred: readonly number[]): string {
  return names.map((part, index) => (starred.includes(index - names.length) ? "*" : part)).join("/");
}

function nothingThere({ method, path }: PortRequest, known: readonly string[]): Answer {
  const names = path.split("/");
  const paths = [path, ...PATTERNS.map((starred) => patternOf(names, starred))];
  const methods = known.flatMap((key) => {
    const [known = "", at = ""] = key.split(" ");
    return paths.includes(at) ? [known] : [];
  });
  const shown = JSON.stringify(path.slice(0, 100));
  if (methods.length === 0)
    return problemAnswer(new FanfoldError("usage", `cannot answer a request for ${shown}: nothing is there`), 404);
  const allow = methods.join(", ");
  const error = new FanfoldError("usage", `cannot answer ${method.slice(0, 20)} for ${shown}: want ${allow}`);
  const answer = problemAnswer(error, 405);
  return { ...answer, headers: { ...answer.headers, allow } };
}

function json(status: number, value: unknown): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** A token that a path names and that is not there is told otherwise than one that does not let the request in. */
function found(work: () => unknown): Answer {
  try {
    return json(200, work());
  } catch (thrown) {
    const isUnknown = thrown instanceof FanfoldError && thrown.code === "token-unknown";
    if (isUnknown) return problemAnswer(thrown, 404);
    throw thrown;
  }
}
