import type { z } from "zod";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import type { Random } from "../../lib/random.ts";
import { type FleetSink, historyQuerySchema } from "../../protocol/api/answer-schemas.ts";
import { type LimitAnswer, limitChangeSchema } from "../../protocol/api/limit-schemas.ts";
import {
  type RunAnswer,
  runOrderSchema,
  type Verification,
  verificationOrderSchema,
} from "../../protocol/api/verification-schemas.ts";
import { API_PATHS, PORT_PATHS } from "../../protocol/coordinator-port.ts";
import { AccessStore } from "../access/access-store.ts";
import type { ApiPage, ApiPages, Visit } from "../access/api-page.ts";
import { problemAnswer } from "../access/problem.ts";
import { bodyOf } from "../access/request-body.ts";
import type { Store } from "../history/store.ts";
import { WantedStore } from "../history/wanted-store.ts";
import type { PortRequest } from "../port/port-request.ts";
import type { Answer } from "../port/routes.ts";
import type { EventLog } from "../views/event-log.ts";
import type { SessionViews } from "../views/session-views.ts";
import { EventFeed } from "./event-feed.ts";
import { eventPage } from "./event-stream.ts";
import { Fleet } from "./fleet.ts";
import { HistoryNumbers } from "./metric-facts.ts";
import { openApiDocument } from "./openapi.ts";
import { historyAnswer, ratesAnswer, sessionAnswer } from "./session-answers.ts";

interface PagesOptions {
  readonly store: Store;
  readonly stateDir: FilePath;
  /** `trouble`: why nobody can join now. */
  readonly broker: { readonly link: { readonly trouble: string | undefined } };
  readonly log: EventLog;
  readonly views: SessionViews;
  readonly isGuarded: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly present: { sinks(): ReadonlySet<string>; keepAll(): void };
  readonly verifications: {
    ask(order: z.output<typeof verificationOrderSchema>): Verification | undefined;
    find(id: string): Verification | undefined;
  };
  /** What who runs the coordinator orders: false when there is nothing like that. */
  readonly orders: {
    cancel(sessionId: string): boolean;
    drop(sessionId: string, sink: string): boolean;
    limit(sessionId: string, sink: string | undefined, limit: string): "told" | "kept" | undefined;
    run(session: string): number;
  };
}

/** What the API answers about sessions and sinks. This module, and all that only it needs, is loaded at the first request. */
export function pagesOf(options: PagesOptions): ApiPages {
  const { store, log, views, isGuarded, orders, clock, random } = options;
  const { database } = store;
  const access = new AccessStore(database);
  const connected = () => options.present.sinks();
  const fleet = new Fleet({ database, admitted: isGuarded ? () => access.identities() : undefined, connected });
  const sinks = (): readonly FleetSink[] => {
    options.present.keepAll();
    return fleet.sinks();
  };
  const wanted = new WantedStore(database);
  const feed = new EventFeed({ log, sessions: () => views.snapshot(), isGuarded, clock, random });
  const startedAt = new Date(clock.date().getTime() - process.uptime() * 1000);
  const numbers = new HistoryNumbers(database, startedAt);
  const sources = {
    ...options,
    startedAt,
    sessions: () => views.snapshot(),
    sinks,
    history: () => numbers.facts(),
    wanted: () => wanted.list(),
    eventReaders: () => feed.readers,
    trouble: () => options.broker.link.trouble,
  };
  const reading = (answer: (visit: Visit) => Answer): ApiPage => ({ right: "read-unless-open", answer });
  return new Map<string, ApiPage>([
    [
      `GET ${API_PATHS.history}`,
      reading(({ request }) => json(historyAnswer(database, queryOf(request.query, historyQuerySchema)))),
    ],
    [
      `GET ${API_PATHS.sessions}/*`,
      reading(({ name }) => {
        const detail = sessionAnswer(database, name, views.snapshot());
        return detail === undefined ? noSession() : json(detail);
      }),
    ],
    [
      `GET ${API_PATHS.sessions}/*/rates`,
      reading(({ name }) => {
        const answer = ratesAnswer(database, name, views.rates(name));
        return answer === undefined ? noSession() : json(answer);
      }),
    ],
    ...orderPages(orders),
    ...verificationPages(options.verifications),
    [`POST ${API_PATHS.runs}`, { right: "change", answer: ({ request }) => runAnswer(orders, request) }],
    [`GET ${API_PATHS.sinks}`, reading(() => json({ sinks: sinks() }))],
    [`GET ${API_PATHS.wanted}`, reading(() => json({ wanted: wanted.list() }))],
    [`GET ${API_PATHS.events}`, eventPage(feed, clock)],
    [
      `GET ${PORT_PATHS.metrics}`,
      {
        right: "read-unless-open",
        answer: async () => {
          // The library for metrics is for those who scrape them.
          const { metricsText } = await import("./metrics.ts");
          return { status: 200, type: "text/plain; version=0.0.4", body: await metricsText(sources) };
        },
      },
    ],
    [`GET ${API_PATHS.openapi}`, { right: "nothing", answer: () => json(openApiDocument()) }],
  ]);
}

/** What an admin orders. */
function orderPages(orders: PagesOptions["orders"]): readonly (readonly [string, ApiPage])[] {
  return [
    [
      `DELETE ${API_PATHS.sessions}/*`,
      { right: "change", answer: ({ name }) => (orders.cancel(name) ? json({}) : noSession()) },
    ],
    [
      `DELETE ${API_PATHS.sessions}/*/sinks/*`,
      {
        right: "change",
        answer: ({ within, name }) => (orders.drop(within, decoded(name)) ? json({}) : noSink()),
      },
    ],
    [
      `PUT ${API_PATHS.sessions}/*/limit`,
      { right: "change", answer: ({ request, name }) => limitAnswer(orders, request, { sessionId: name }) },
    ],
    [
      `PUT ${API_PATHS.sessions}/*/sinks/*/limit`,
      {
        right: "change",
        answer: ({ request, within, name }) => limitAnswer(orders, request, { sessionId: within, sink: decoded(name) }),
      },
    ],
  ];
}

/** @throws FanfoldError `usage` */
async function runAnswer(orders: PagesOptions["orders"], request: PortRequest): Promise<Answer> {
  const { session } = await bodyOf(request, runOrderSchema);
  return json({ sources: orders.run(session) } satisfies RunAnswer);
}

function verificationPages(verifications: PagesOptions["verifications"]): readonly (readonly [string, ApiPage])[] {
  return [
    [
      `POST ${API_PATHS.verifications}`,
      {
        right: "change",
        answer: async ({ request }) => {
          const order = await bodyOf(request, verificationOrderSchema);
          const asked = verifications.ask(order);
          if (asked !== undefined) return { ...json(asked), status: 201 };
          const message = `cannot verify the copies of session "${order.session}": no sink of it is here, and none is known; fanfold fleet shows all sinks`;
          return problemAnswer(new FanfoldError("member-unknown", message), 404);
        },
      },
    ],
    [
      `GET ${API_PATHS.verifications}/*`,
      {
        right: "read-unless-open",
        answer: ({ name }) => {
          const found = verifications.find(name);
          if (found !== undefined) return json(found);
          const message =
            "cannot tell of this verification: nothing is known of it any more; fanfold fleet shows what came of it";
          return problemAnswer(new FanfoldError("usage", message), 404);
        },
      },
    ],
  ];
}

/** @throws FanfoldError `usage` */
async function limitAnswer(
  orders: PagesOptions["orders"],
  request: PortRequest,
  { sessionId, sink }: { readonly sessionId: string; readonly sink?: string },
): Promise<Answer> {
  const { limit } = await bodyOf(request, limitChangeSchema);
  const done = orders.limit(sessionId, sink, limit);
  if (done !== undefined) return json({ limit, told: done === "told" } satisfies LimitAnswer);
  const who = sink === undefined ? "no source" : "no sink of this name";
  const message = `cannot change a limit: ${who} takes part in a session with this id that waits or runs`;
  return problemAnswer(new FanfoldError("member-unknown", message), 404);
}

function json(value: unknown): Answer {
  return { status: 200, type: "application/json", body: `${JSON.stringify(value)}\n` };
}

function noSession(): Answer {
  const message = "cannot tell of this session: nothing is known of it; the history has the ids of those that it keeps";
  return problemAnswer(new FanfoldError("usage", message), 404);
}

function noSink(): Answer {
  const message = "cannot drop a sink: no sink of this name is connected in a session with this id";
  return problemAnswer(new FanfoldError("member-unknown", message), 404);
}

/** A name in a path; what is not encoded rightly names nobody. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return "";
  }
}

/** @throws FanfoldError `usage` */
function queryOf<T>(query: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? "" : ` at "${issue.path.join(".")}": ${issue.message}`;
  throw new FanfoldError("usage", `cannot read the query: unexpected value${where}`, { cause: result.error });
}
