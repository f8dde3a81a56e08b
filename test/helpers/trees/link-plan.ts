import fc from "fast-check";
import { type Fault, type FaultPlan, seededPlan } from "../transports/fault-transport.ts";

/** Of real time. A session of these sizes takes well under a second; a hang takes for ever. */
export const HANG_MS = 60_000;
/** The least that a session sends: page, walked, trailer, end; and one sink: report, want, report, proof. */
const LEAST_MESSAGES = 4;

/** What a link does: surely this fault to this message, and to others at a rate. */
export interface LinkPlan {
  readonly fault: Fault;
  readonly at: number;
  readonly seed: number;
  readonly rate: number;
}

export const linkPlan = (faults: readonly Fault[]): fc.Arbitrary<LinkPlan> =>
  fc.record({
    fault: fc.constantFrom(...faults),
    at: fc.nat({ max: LEAST_MESSAGES - 1 }),
    seed: fc.nat(),
    rate: fc.constantFrom(0, 0.05, 0.15, 0.3),
  });
export function faults({ fault, at, seed, rate }: LinkPlan): FaultPlan {
  const others = seededPlan(seed, rate);
  return (index, payload) => (index === at ? fault : others(index, payload));
}

/** Fails when a session takes longer than any session does. */
export async function withoutHang<Result>(running: Promise<Result>): Promise<Result> {
  const hang = Promise.withResolvers<never>();
  const timer = setTimeout(() => hang.reject(new Error(`A session took longer than ${HANG_MS} ms`)), HANG_MS);
  try {
    return await Promise.race([running, hang.promise]);
  } finally {
    clearTimeout(timer);
  }
}
