import type { z } from "zod";
import { FanfoldError } from "../../lib/errors.ts";
import { formatHostPort } from "../../lib/net/host-port.ts";
import type { CoordinatorAddress } from "../../member/address.ts";
import {
  memberListSchema,
  shownTokenSchema,
  tokenListSchema,
  tokenViewSchema,
} from "../../protocol/access/operator-api.ts";
import {
  fleetSchema,
  historySchema,
  sessionDetailSchema,
  sessionListSchema,
  wantedListSchema,
} from "../../protocol/api/answer-schemas.ts";
import { limitAnswerSchema } from "../../protocol/api/limit-schemas.ts";
import { runAnswerSchema, verificationSchema } from "../../protocol/api/verification-schemas.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { type ApiCall, callApi } from "./api-client.ts";
import type { HistoryQuery, OperatorDesk, Records } from "./operator-desk.ts";

/** Where the coordinator is, and by what token it is asked: without one, for what everybody may know there. */
export interface Office {
  readonly address: CoordinatorAddress;
  readonly token: string | undefined;
}

/** The desk of a coordinator that runs, by its API. */
export function remoteDesk(office: Office): OperatorDesk {
  const ask = async <T>(schema: z.ZodType<T>, call: ApiCall): Promise<T> => {
    const result = schema.safeParse(await callApi(office, call));
    if (result.success) return result.data;
    throw new FanfoldError(
      "damaged",
      `cannot read what the coordinator at ${formatHostPort(office.address)} answers: use the same version of fanfold on both sides`,
      { cause: result.error },
    );
  };
  const { tokens, members, sessions, history, sinks, wanted, verifications, runs } = API_PATHS;
  const at = (path: string, name: string) => `${path}/${encodeURIComponent(name)}`;
  const records: Records = {
    history: (query) => ask(historySchema, { method: "GET", path: `${history}?${queryText(query)}` }),
    session: (id) => ask(sessionDetailSchema, { method: "GET", path: at(sessions, id) }),
    live: async () => (await ask(sessionListSchema, { method: "GET", path: sessions })).sessions,
    sinks: async () => (await ask(fleetSchema, { method: "GET", path: sinks })).sinks,
    wanted: async () => (await ask(wantedListSchema, { method: "GET", path: wanted })).wanted,
  };
  return {
    records,
    runs: true,
    limit: ({ sessionId, sink }, limit) => {
      const session = at(sessions, sessionId);
      const member = sink === undefined ? session : at(`${session}/sinks`, sink);
      return ask(limitAnswerSchema, { method: "PUT", path: `${member}/limit`, body: { limit } });
    },
    verify: (order) => ask(verificationSchema, { method: "POST", path: verifications, body: order }),
    verification: (id) => ask(verificationSchema, { method: "GET", path: at(verifications, id) }),
    run: (session) => ask(runAnswerSchema, { method: "POST", path: runs, body: { session } }),
    createToken: (order) => ask(shownTokenSchema, { method: "POST", path: tokens, body: order }),
    tokens: async () => (await ask(tokenListSchema, { method: "GET", path: tokens })).tokens,
    showToken: (id) => ask(shownTokenSchema, { method: "GET", path: at(tokens, id) }),
    revokeToken: (id) => ask(tokenViewSchema, { method: "DELETE", path: at(tokens, id) }),
    members: async () => (await ask(memberListSchema, { method: "GET", path: members })).members,
    removeMember: async (key) => void (await ask(memberListSchema, { method: "DELETE", path: at(members, key) })),
    renameMember: async (key, name) =>
      void (await ask(memberListSchema, { method: "PATCH", path: at(members, key), body: { name } })),
  };
}

function queryText(query: HistoryQuery): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return text.toString();
}
