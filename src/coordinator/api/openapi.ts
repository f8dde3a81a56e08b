import { z } from "zod";
import {
  loginViewSchema,
  memberChangeSchema,
  memberListSchema,
  memberViewSchema,
  problemSchema,
  shownTokenSchema,
  tokenListSchema,
  tokenOrderSchema,
  tokenViewSchema,
} from "../../protocol/access/operator-api.ts";
import {
  fleetSchema,
  fleetSinkSchema,
  historyQuerySchema,
  historySchema,
  sessionDetailSchema,
  sessionEntrySchema,
  sessionListSchema,
  sessionMemberSchema,
  sessionRatesSchema,
  wantedListSchema,
  wantedSessionSchema,
} from "../../protocol/api/answer-schemas.ts";
import { sessionViewSchema, sinkLineSchema, streamEventSchema } from "../../protocol/api/event-schemas.ts";
import { limitAnswerSchema, limitChangeSchema } from "../../protocol/api/limit-schemas.ts";
import { copyProgressSchema, sessionSummarySchema, sinkOutcomeSchema } from "../../protocol/api/message-schemas.ts";
import {
  runAnswerSchema,
  runOrderSchema,
  verificationOrderSchema,
  verificationSchema,
  verificationSinkSchema,
  verifyReportSchema,
} from "../../protocol/api/verification-schemas.ts";
import { API_PATHS, PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";

/** The description of the API, made of the schemas that check what it takes and of those that its answers are tested by. */

/** By the names that they have in the document. */
const NAMED = {
  CopyProgress: copyProgressSchema,
  Fleet: fleetSchema,
  FleetSink: fleetSinkSchema,
  History: historySchema,
  Login: loginViewSchema,
  LimitAnswer: limitAnswerSchema,
  LimitChange: limitChangeSchema,
  MemberChange: memberChangeSchema,
  MemberList: memberListSchema,
  MemberView: memberViewSchema,
  Problem: problemSchema,
  RunAnswer: runAnswerSchema,
  RunOrder: runOrderSchema,
  SessionDetail: sessionDetailSchema,
  SessionEntry: sessionEntrySchema,
  SessionList: sessionListSchema,
  SessionMember: sessionMemberSchema,
  SessionRates: sessionRatesSchema,
  SessionSummary: sessionSummarySchema,
  SessionView: sessionViewSchema,
  ShownToken: shownTokenSchema,
  SinkLine: sinkLineSchema,
  SinkOutcome: sinkOutcomeSchema,
  StreamEvent: streamEventSchema,
  TokenList: tokenListSchema,
  TokenOrder: tokenOrderSchema,
  TokenView: tokenViewSchema,
  Verification: verificationSchema,
  VerificationOrder: verificationOrderSchema,
  VerificationSink: verificationSinkSchema,
  VerifyReport: verifyReportSchema,
  WantedList: wantedListSchema,
  WantedSession: wantedSessionSchema,
} as const;
type Name = keyof typeof NAMED;

interface Operation {
  readonly does: string;
  /** Undefined: anybody. `observer?`: an observer where tokens are asked for, else anybody. */
  readonly role?: "observer" | "observer?" | "admin";
  readonly takes?: Name;
  readonly gives?: Name;
  readonly status?: number;
  readonly query?: z.ZodObject;
}

/** By path and method. */
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  [API_PATHS.sessions]: { get: { does: "Sessions that wait or run", role: "observer?", gives: "SessionList" } },
  [`${API_PATHS.sessions}/{id}`]: {
    get: { does: "All that is known of a session", role: "observer?", gives: "SessionDetail" },
    delete: { does: "Cancels a session for all", role: "admin" },
  },
  [`${API_PATHS.sessions}/{id}/rates`]: {
    get: { does: "How fast its source sent, from the start on", role: "observer?", gives: "SessionRates" },
  },
  [`${API_PATHS.sessions}/{id}/limit`]: {
    put: {
      does: "Orders a source to hold itself to a limit",
      role: "admin",
      takes: "LimitChange",
      gives: "LimitAnswer",
    },
  },
  [`${API_PATHS.sessions}/{id}/sinks/{name}/limit`]: {
    put: { does: "Orders a sink to hold itself to a limit", role: "admin", takes: "LimitChange", gives: "LimitAnswer" },
  },
  [`${API_PATHS.sessions}/{id}/sinks/{name}`]: {
    delete: { does: "Drops a sink from a session; it may come again", role: "admin" },
  },
  [API_PATHS.history]: {
    get: { does: "Sessions, the latest first", role: "observer?", gives: "History", query: historyQuerySchema },
  },
  [API_PATHS.sinks]: { get: { does: "Known sinks and their last whole copy", role: "observer?", gives: "Fleet" } },
  [API_PATHS.wanted]: {
    get: { does: "Names that must have a whole copy in time", role: "observer?", gives: "WantedList" },
  },
  [API_PATHS.verifications]: {
    post: {
      does: "Asks the sinks of a session to read their copies again",
      role: "admin",
      takes: "VerificationOrder",
      gives: "Verification",
      status: 201,
    },
  },
  [`${API_PATHS.verifications}/{id}`]: {
    get: { does: "What the sinks have answered by now", role: "observer?", gives: "Verification" },
  },
  [API_PATHS.runs]: {
    post: { does: "Has the next run of a session now", role: "admin", takes: "RunOrder", gives: "RunAnswer" },
  },
  [API_PATHS.tokens]: {
    get: { does: "Tokens, without their secrets", role: "observer", gives: "TokenList" },
    post: { does: "Makes a token", role: "admin", takes: "TokenOrder", gives: "ShownToken", status: 201 },
  },
  [`${API_PATHS.tokens}/{id}`]: {
    get: { does: "A token with its secret", role: "admin", gives: "ShownToken" },
    delete: { does: "Revokes a token", role: "admin", gives: "TokenView" },
  },
  [API_PATHS.members]: { get: { does: "Members that were let in", role: "observer", gives: "MemberList" } },
  [`${API_PATHS.members}/{id}`]: {
    delete: { does: "Removes a member by its key", role: "admin", gives: "MemberList" },
    patch: { does: "Renames a member", role: "admin", takes: "MemberChange", gives: "MemberList" },
  },
  [API_PATHS.login]: {
    get: { does: "How people come in, and what the token is that was shown", gives: "Login" },
    post: { does: "Gives a browser a cookie for its token", role: "observer", gives: "Login" },
    delete: { does: "Makes the cookie void" },
  },
};

type Json = Readonly<Record<string, unknown>>;
let document: Json | undefined;

/** In the words of OpenAPI 3.2, which knows streams of events. */
export function openApiDocument(): Json {
  document ??= make();
  return document;
}

function make(): Json {
  const paths = Object.entries(OPERATIONS).map(([path, methods]) => [
    path,
    Object.fromEntries(Object.entries(methods).map(([method, each]) => [method, operation(path, each)])),
  ]);
  return {
    openapi: "3.2.0",
    info: { title: "fanfold coordinator", version: `v1, protocol ${PROTOCOL_VERSION}` },
    paths: {
      ...Object.fromEntries(paths),
      [API_PATHS.events]: { get: eventsOperation() },
      [PORT_PATHS.metrics]: {
        get: { summary: "Metrics for Prometheus", ...secured("observer?"), responses: { 200: other("text/plain") } },
      },
      [API_PATHS.openapi]: { get: { summary: "This document", responses: { 200: other("application/json") } } },
    },
    components: {
      schemas: schemas(),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(path: string, { does, role, takes, gives, status = 200, query }: Operation): Json {
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string" },
    })),
    ...queryParameters(query),
  ];
  const given = gives === undefined ? { schema: { type: "object" } } : { schema: refTo(gives) };
  return {
    summary: does,
    ...secured(role),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(takes === undefined ? {} : { requestBody: { required: true, content: jsonOf({ schema: refTo(takes) }) } }),
    responses: { [status]: { description: does, content: jsonOf(given) }, default: problem() },
  };
}

function eventsOperation(): Json {
  const parameters = [{ name: "Last-Event-ID", in: "header", schema: { type: "string" } }];
  const itemSchema = {
    type: "object",
    properties: {
      id: { type: "string" },
      data: { type: "string", contentMediaType: "application/json", contentSchema: refTo("StreamEvent") },
    },
  };
  const content = { "text/event-stream": { itemSchema } };
  return {
    summary: "Events as they happen",
    ...secured("observer?"),
    parameters,
    responses: { 200: { description: "Server-sent events", content }, default: problem() },
  };
}

function queryParameters(query: z.ZodObject | undefined): readonly Json[] {
  if (query === undefined) return [];
  const { properties = {} } = z.toJSONSchema(query, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", schema }));
}

/** `{}`: it may be asked without a token, too. */
function secured(role: Operation["role"]): Json {
  if (role === undefined) return {};
  const rights = { description: `Role: ${role === "admin" ? "admin" : "observer"}` };
  return { ...rights, security: role === "observer?" ? [{ token: [] }, {}] : [{ token: [] }] };
}

function problem(): Json {
  return {
    description: "Why the request was not granted (RFC 9457)",
    content: { "application/problem+json": { schema: refTo("Problem") } },
  };
}

function other(type: string): Json {
  return { description: type, content: { [type]: {} } };
}

function jsonOf(content: Json): Json {
  return { "application/json": content };
}

function refTo(name: Name): Json {
  return { $ref: uriOf(name) };
}

function uriOf(name: string): string {
  return `#/components/schemas/${name}`;
}

function schemas(): Json {
  const registry = z.registry<{ readonly id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, { uri: uriOf, override: ({ jsonSchema }) => loosen(jsonSchema) });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}

/** Fields may be added in any version, so no reader may count on there being none. */
function loosen(schema: { additionalProperties?: unknown }): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
}
