import type { CommitDecision, CommitRef } from "../../protocol/messages/commit.ts";
import type { ClientMessage } from "../../protocol/messages/control.ts";
import type { History } from "../history/history.ts";
import { type SessionSlot, sourceOf } from "./session-slot.ts";

type Wish = Extract<ClientMessage, { type: "decide" }>;
type Decisions = Pick<History, "decide" | "decision">;

/** Whether a member may ask for the decision now: it is the source of a copy on which one is to come. */
export function mayDecide(state: SessionSlot | undefined, memberId: string): state is SessionSlot {
  return state?.running?.source.id === memberId && sourceOf(state)?.commit !== undefined;
}

/**
 * What is decided on the copy that runs, written down before anybody is told. It stands: a source that was not answered may ask
 * again. Undefined when it cannot be written: then nobody is told anything.
 */
export function decide(state: SessionSlot, wish: Wish, decisions: Decisions): CommitDecision | undefined {
  const { running } = state;
  if (running === undefined) return undefined;
  if (running.decision !== undefined) return running.decision;
  const copy = { sessionId: running.id, epoch: running.epoch };
  const isCommitted = hasEnough(state, wish);
  const decision = { ...copy, ...(isCommitted ? { digest: wish.digest } : {}) };
  return decisions.decide(decision) ? decision : undefined;
}

/** Whether enough sinks of the copy have all of it; with `needed` 0 all that count. */
function hasEnough(state: SessionSlot, { all, whole }: Pick<Wish, "all" | "whole">): boolean {
  const needed = sourceOf(state)?.commit?.needed ?? 0;
  const takePart = new Set(state.running?.sinks.map(({ id }) => id));
  const count = new Set(whole.filter((id) => takePart.has(id))).size;
  return count > 0 && count >= (needed === 0 ? new Set(all).size : needed);
}

/** What was decided on a copy; undefined while it may still be decided. */
export function decisionOn(
  copy: CommitRef,
  slots: Iterable<SessionSlot>,
  decisions: Decisions,
): CommitDecision | undefined {
  for (const { running, waiting } of slots) {
    if (running?.id === copy.sessionId && running.epoch === copy.epoch) return running.decision;
    // At a later epoch nobody decides on this one any more.
    const standing = running ?? waiting;
    if (standing?.id === copy.sessionId) return decisions.decision(copy) ?? copy;
  }
  return decisions.decision(copy) ?? copy;
}
