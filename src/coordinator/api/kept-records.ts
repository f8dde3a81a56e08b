import type { DatabaseSync } from "node:sqlite";
import { FanfoldError } from "../../lib/errors.ts";
import type { FleetSink, HistoryPart, SessionDetail, WantedSession } from "../../protocol/api/answer-schemas.ts";
import { AccessStore } from "../access/access-store.ts";
import { WantedStore } from "../history/wanted-store.ts";
import { Fleet } from "./fleet.ts";
import { historyAnswer, sessionAnswer } from "./session-answers.ts";

interface KeptRecords {
  history(query: Parameters<typeof historyAnswer>[1]): HistoryPart;
  /** @throws FanfoldError `usage` */
  session(id: string): SessionDetail;
  sinks(): readonly FleetSink[];
  wanted(): readonly WantedSession[];
}

/** What the state of a coordinator that does not run knows of sessions and sinks. */
export function keptRecords(database: DatabaseSync): KeptRecords {
  const identities = new AccessStore(database).identities();
  // Where tokens were never asked for, nobody was admitted.
  const admitted = identities.length === 0 ? undefined : () => identities;
  return {
    history: (query) => historyAnswer(database, query),
    session: (id) => {
      const detail = sessionAnswer(database, id, []);
      if (detail === undefined) throw new FanfoldError("usage", `cannot tell of session ${id}: nothing is known of it`);
      return detail as SessionDetail;
    },
    sinks: () => new Fleet({ database, admitted, connected: () => new Set() }).sinks(),
    wanted: () => new WantedStore(database).list(),
  };
}
