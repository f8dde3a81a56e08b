import type { Clock } from "../../../lib/clock.ts";
import { FanfoldError } from "../../../lib/errors.ts";
import { type MemberRun, startMember } from "../../../member/member-run.ts";
import type { Verification, VerificationOrder } from "../../../protocol/api/verification-schemas.ts";
import type { FleetVerifyEvent, VerificationSink } from "../../../protocol/messages/fleet-verify-events.ts";
import { hasDamage } from "../../../protocol/messages/verification.ts";
import type { OperatorDesk } from "../../operator/operator-desk.ts";

/** How often the coordinator is asked how far they are. */
const LOOK_MS = 500;
/** A coordinator that is started again, or a network that is away for a moment. */
const FAILED_LOOKS_MAX = 20;

type FleetVerifyEnd = Extract<FleetVerifyEvent, { type: "finished" }>;

interface FleetVerifyOptions {
  readonly desk: Pick<OperatorDesk, "verify" | "verification" | "run">;
  /** Whether the next run is wanted now when something is damaged. */
  readonly repairs: boolean;
  readonly order: VerificationOrder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Asks the sinks of a session to read their copies again, and follows them until nobody is waited for any more. */
export function verifyFleet({
  desk,
  repairs,
  order,
  clock,
  signal,
}: FleetVerifyOptions): MemberRun<FleetVerifyEvent, FleetVerifyEnd> {
  return startMember<FleetVerifyEvent, FleetVerifyEnd>(signal, async ({ hub, signal: ended }) => {
    const told = new Map<string, string>();
    let seen = await desk.verify(order);
    hub.emit(askedEvent(seen));
    for (;;) {
      for (const event of newsIn(seen, told)) hub.emit(event);
      if (seen.isOver) break;
      await clock.sleep(LOOK_MS, ended);
      seen = await look(desk, seen.id, { clock, signal: ended });
    }
    const found = endOf(seen.sinks);
    const isRepaired = repairs && found.result === "differs";
    const end = isRepaired ? { ...found, ...(await repairOf(desk, order, ended)) } : found;
    hub.emit(end);
    return end;
  });
}

/** What was found is told, also when nothing comes of the repair. */
async function repairOf(
  desk: FleetVerifyOptions["desk"],
  { session }: VerificationOrder,
  signal: AbortSignal,
): Promise<Pick<FleetVerifyEnd, "repair" | "repairFailure">> {
  try {
    const { sources } = await desk.run(session);
    return { repair: sources > 0 ? "begun" : "no-source" };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message } = FanfoldError.from(thrown);
    return { repair: "failed", repairFailure: { code, message } };
  }
}

async function look(
  desk: FleetVerifyOptions["desk"],
  id: string,
  { clock, signal }: Pick<FleetVerifyOptions, "clock" | "signal">,
): Promise<Verification> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await desk.verification(id);
    } catch (thrown) {
      const { code, message } = FanfoldError.from(thrown);
      signal.throwIfAborted();
      const isPassing = code === "coordinator-unreachable" && failed < FAILED_LOOKS_MAX;
      if (!isPassing)
        throw new FanfoldError(
          "coordinator-lost",
          `cannot follow the sinks: ${message}; they go on, and fanfold fleet shows what came of it`,
          { cause: thrown },
        );
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

function askedEvent({ session, trees, sinks }: Verification): FleetVerifyEvent {
  const missing = sinks.filter(({ state }) => state === "away").map(({ name }) => name);
  const here = sinks.filter(({ state }) => state !== "away").map(({ name }) => name);
  return { type: "asked", session, trees, sinks: here, ...(missing.length === 0 ? {} : { missing }) };
}

/** What was not told yet. `told`: by key, what was said last. */
function newsIn({ sinks }: Verification, told: Map<string, string>): readonly FleetVerifyEvent[] {
  return sinks.flatMap((sink): FleetVerifyEvent[] => {
    const { key, name, state, progress } = sink;
    const isWaitedFor = state === "asked" || state === "reading";
    const news = isWaitedFor ? JSON.stringify(progress ?? "") : state;
    if (told.get(key) === news) return [];
    told.set(key, news);
    if (!isWaitedFor) return [{ type: "answered", sink }];
    return progress === undefined ? [] : [{ type: "sinkread", name, read: progress }];
  });
}

/** Damage counts more than what was not read. */
function endOf(sinks: readonly VerificationSink[]): FleetVerifyEnd {
  const isRead = ({ report }: VerificationSink): boolean => report?.result === "equal" || report?.result === "differs";
  const isDamaged = ({ report }: VerificationSink): boolean => report !== undefined && hasDamage(report);
  const complete = sinks.every(isRead) ? "equal" : "incomplete";
  return { type: "finished", result: sinks.some(isDamaged) ? "differs" : complete, sinks };
}
