import type { MemberView, ShownToken, TokenOrder, TokenView } from "../../protocol/access/operator-api.ts";
import type { FleetSink, HistoryPart, SessionDetail, WantedSession } from "../../protocol/api/answer-schemas.ts";
import type { LimitAnswer } from "../../protocol/api/limit-schemas.ts";
import type { RunAnswer, Verification, VerificationOrder } from "../../protocol/api/verification-schemas.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";

/** What a coordinator knows of sessions and sinks. For an observer's token, too. */
export interface Records {
  /** The latest first. */
  history(query: HistoryQuery): Promise<HistoryPart>;
  session(id: string): Promise<SessionDetail>;
  /** Those that wait or run, as they are now. */
  live(): Promise<readonly SessionView[]>;
  sinks(): Promise<readonly FleetSink[]>;
  wanted(): Promise<readonly WantedSession[]>;
}

export interface HistoryQuery {
  readonly session?: string;
  /** The id of the last session of the part before. */
  readonly before?: string;
  /** The beginning of an id. */
  readonly id?: string;
  readonly limit: number;
}

/** What those who run a coordinator do with tokens and members: at one that runs, or at the state of one that does not. */
export interface OperatorDesk {
  readonly records: Records;
  /** Whether a coordinator runs that answers. */
  readonly runs: boolean;
  /** Orders a sink of a session, or its source, to hold itself to a limit. */
  limit(who: { readonly sessionId: string; readonly sink?: string | undefined }, limit: string): Promise<LimitAnswer>;
  /** Asks the sinks of a session to read their copies again. */
  verify(order: VerificationOrder): Promise<Verification>;
  /** What they have answered by now. */
  verification(id: string): Promise<Verification>;
  /** Has the next run of a session now. */
  run(session: string): Promise<RunAnswer>;
  createToken(order: TokenOrder): Promise<ShownToken>;
  tokens(): Promise<readonly TokenView[]>;
  showToken(id: string): Promise<ShownToken>;
  revokeToken(id: string): Promise<TokenView>;
  members(): Promise<readonly MemberView[]>;
  /** By its whole key. */
  removeMember(key: string): Promise<void>;
  renameMember(key: string, name: string): Promise<void>;
}
