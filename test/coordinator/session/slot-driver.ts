import { step } from "../../../src/coordinator/session/session-machine.ts";
import {
  emptySlot,
  memberFor,
  type SessionSlot,
  type SlotEffect,
  type SlotEvent,
} from "../../../src/coordinator/session/session-slot.ts";
import type { CommitOrder } from "../../../src/protocol/messages/commit.ts";
import type { CoordinatorMessage, Role } from "../../../src/protocol/messages/control.ts";
import type { SessionSummary, SinkOutcome } from "../../../src/protocol/messages/progress.ts";

export interface JoinOptions {
  readonly label?: string;
  readonly labelAsked?: boolean;
  readonly labelElse?: string;
  readonly stay?: boolean;
  readonly needed?: number;
  readonly expected?: readonly string[];
  readonly dryRun?: boolean;
  readonly place?: readonly string[];
  readonly directory?: string;
  readonly snapshots?: boolean;
  readonly commit?: CommitOrder;
  /** Whose secret it has; by default one of its own. */
  readonly identity?: string;
  readonly back?: { readonly sessionId: string; readonly epoch: number };
}

type Unnumbered<T> = T extends unknown ? Omit<T, "freshSessionId"> : never;

/** Feeds events to the state machine and keeps all that came of them. Member ids are chosen by the test. */
export class SlotDriver {
  state: SessionSlot = emptySlot("default", "0".repeat(32));
  readonly effects: SlotEffect[] = [];
  #sessions = 0;

  /** One event; returns the effects of this step alone. */
  feed(event: Unnumbered<SlotEvent>): readonly SlotEffect[] {
    this.#sessions += 1;
    const result = step(this.state, { ...event, freshSessionId: `session${String(this.#sessions).padStart(5, "0")}` });
    this.state = result.state;
    this.effects.push(...result.effects);
    return result.effects;
  }

  join(id: string, role: Role, options: JoinOptions = {}): readonly SlotEffect[] {
    const { label = id, labelAsked = false, labelElse, stay = false, needed = 1, dryRun = false, back } = options;
    const { directory, snapshots, commit } = options;
    const identity = options.identity ?? identityOf(id);
    // As the registry does: who is known keeps its id.
    const known = memberFor(this.state, { role, identity, back });
    const said = { stay, needed, expected: options.expected ?? [], dryRun, place: options.place ?? [], directory };
    const switching = { snapshots, commit };
    const newcomer = { label, labelAsked, labelElse, role, identity, ...said, ...switching, back };
    return this.feed({ type: "join", newcomer: { ...newcomer, id: known?.id ?? id } });
  }

  /** Comes back as the process that it was. */
  back(id: string, role: Role, options: JoinOptions = {}): readonly SlotEffect[] {
    const { running } = this.state;
    return this.join(id, role, { back: { sessionId: running?.id ?? "none", epoch: running?.epoch ?? 1 }, ...options });
  }

  cancel(identity: string): readonly SlotEffect[] {
    return this.feed({ type: "cancel", id: "cancel", identity });
  }

  ready(memberId: string): readonly SlotEffect[] {
    return this.feed({ type: "ready", memberId });
  }

  /** Joins and answers the welcome. */
  enter(id: string, role: Role, options: JoinOptions = {}): readonly SlotEffect[] {
    this.join(id, role, options);
    return this.ready(id);
  }

  finish(memberId: string): readonly SlotEffect[] {
    const sinks = this.state.running?.sinks ?? [];
    return this.feed({ type: "finished", memberId, summary: summaryOf(sinks.map((sink) => provenOutcome(sink))) });
  }

  /** Says that it leaves. */
  go(memberId: string, code = "interrupted", reason = "Ctrl-C"): readonly SlotEffect[] {
    return this.feed({ type: "gone", memberId, code, reason, left: true });
  }

  /** Its connection breaks. */
  lose(memberId: string): readonly SlotEffect[] {
    const role = this.state.members.find((member) => member.id === memberId)?.role ?? "sink";
    return this.feed({ type: "gone", memberId, code: `${role}-lost`, reason: "its connection broke", left: false });
  }
}

export function identityOf(id: string): string {
  return id.repeat(8);
}

/** Messages to one member among effects, welcomes as such. */
export function told(effects: readonly SlotEffect[], memberId: string): string[] {
  return effects.flatMap((effect) => {
    if (effect.type === "send" && effect.to === memberId) return [effect.message.type];
    return effect.type === "welcome" && effect.member.id === memberId ? ["welcome"] : [];
  });
}

export function messageTo<T extends CoordinatorMessage["type"]>(
  effects: readonly SlotEffect[],
  memberId: string,
  type: T,
): Extract<CoordinatorMessage, { type: T }> {
  for (const effect of effects) {
    if (effect.type === "send" && effect.to === memberId && effect.message.type === type) {
      return effect.message as Extract<CoordinatorMessage, { type: T }>;
    }
  }
  throw new Error(`no "${type}" was sent to ${memberId}`);
}

export function effectOf<T extends SlotEffect["type"]>(
  effects: readonly SlotEffect[],
  type: T,
): Extract<SlotEffect, { type: T }> {
  const found = effects.find((effect) => effect.type === type);
  if (found === undefined)
    throw new Error(`no effect "${type}" among ${effects.map((effect) => effect.type).join(", ")}`);
  return found as Extract<SlotEffect, { type: T }>;
}

export function provenOutcome(sink: { readonly id: string; readonly name: string }): SinkOutcome {
  const { id: sinkId, name } = sink;
  return {
    sinkId,
    name,
    outcome: "proven",
    filesDone: 1,
    bytesDone: 5,
    problemCount: 0,
    problems: [],
    filesUnchanged: 0,
    bytesUnchanged: 0,
    bytesKept: 0,
    entriesChanged: 0,
    caughtUp: false,
  };
}

export function summaryOf(sinks: SinkOutcome[]): SessionSummary {
  return {
    result: "complete",
    files: 1,
    directories: 1,
    symlinks: 0,
    hardlinks: 0,
    specials: 0,
    notCarried: {},
    notCarriedExamples: {},
    bytes: 5,
    bytesSent: 5,
    bytesSentAgain: 0,
    bytesCaughtUp: 0,
    bytesSaved: 0,
    bytesKept: 0,
    bytesNotNeeded: 0,
    filesGrew: 0,
    elapsedMs: 10,
    digest: "ab".repeat(32),
    problemCount: 0,
    problems: [],
    sinks,
  };
}
