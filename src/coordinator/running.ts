import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { memo } from "../lib/memo.ts";
import type { Random } from "../lib/random.ts";
import type { AccessMode, CoordinatorEvent } from "../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../protocol/messages/session-view.ts";
import { AccessRoom } from "./access/access-room.ts";
import type { Attempts } from "./access/attempts.ts";
import type { BrokerPart } from "./broker/member-transport.ts";
import { History } from "./history/history.ts";
import type { StatePart } from "./history/open-state.ts";
import { stateFailure } from "./history/state-database.ts";
import { type NoticeOptions, Notices } from "./notices/notices.ts";
import { Registry } from "./session/registry.ts";
import type { EventLog } from "./views/event-log.ts";
import { SessionViews } from "./views/session-views.ts";

type TakenUp = Pick<Ground, "store" | "stateDir" | "broker" | "clock">;

/** What the coordinator before this one left. */
export function takeUp({ registry, history, notices }: Running, { store, stateDir, broker, clock }: TakenUp): void {
  try {
    store.interrupt(clock.date(), (end) => notices.ended(end));
  } catch (cause) {
    throw stateFailure(stateDir, cause);
  }
  registry.restore(history.restorable());
  for (const sessionId of store.over) broker.over(sessionId);
  notices.open();
}

export interface Ground extends StatePart {
  readonly told: NoticeOptions;
  readonly isGuarded: boolean;
  readonly access: AccessMode;
  readonly broker: BrokerPart;
  readonly attempts: Attempts;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What a coordinator is made of, between its port and its broker. */
export interface Running {
  readonly room: AccessRoom;
  readonly registry: Registry;
  readonly views: SessionViews;
  readonly history: History;
  readonly notices: Notices;
}

/** Puts the parts together; nothing listens to them yet. */
export function assemble(ground: Ground): Running {
  const { store, retention, told, broker, log, clock, random, logger } = ground;
  const emit = (event: CoordinatorEvent): void => {
    log.emit(event);
    if (event.type === "ended") notices.look();
  };
  const notices = new Notices(told, { database: store.database, emit, clock, random });
  const warn = (message: string) => emit({ type: "warning", code: "history-failed", message });
  const factsOf = (memberId: string) => registry.present.factsOf(memberId);
  const show = (view: SessionView) => emit({ type: "session", view });
  const keyOf = (session: string, memberId: string) => registry.keyOf(session, memberId);
  const views = new SessionViews({ link: broker.link, clock, logger, emit: show, factsOf, keyOf });
  const history = new History(store, { clock, warn, retention, noteEnd: (end) => notices.ended(end) });
  const cut = (identity: string) => registry.orders.remove(identity);
  // Loaded when somebody asks for it: most coordinators only copy.
  const pages = memo(async () => {
    const { orders, present, verifications } = registry;
    return (await import("./api/pages.ts")).pagesOf({ ...ground, views, orders, present, verifications });
  });
  const room = new AccessRoom({ ...ground, warn, cut, pages, sessions: () => views.snapshot() });
  const registry = new Registry({
    clock,
    random,
    entrance: room.entrance,
    views,
    emit,
    history,
    ready: (signal, tell) => broker.link.reached(signal, tell),
    offer: (holder, to) => broker.offer(holder, to),
    revoke: (memberId) => broker.revoke(memberId),
    cut: (memberId) => broker.cut(memberId),
    shutOut: (identity) => broker.shutOut(identity),
    begin: (sessionId, isSealed) => broker.begin(sessionId, isSealed),
    over: (sessionId) => broker.over(sessionId),
    restoreTicket: (holder, ticket) => broker.restore(holder, ticket),
  });
  return { room, registry, views, history, notices };
}

/** The opening has failed behind it. */
export async function abandon({ room, registry, views, history, notices }: Running): Promise<void> {
  room[Symbol.dispose]();
  await registry.close({ code: "coordinator-lost", reason: "The coordinator could not open" });
  views[Symbol.dispose]();
  history[Symbol.dispose]();
  await notices[Symbol.asyncDispose]();
}
