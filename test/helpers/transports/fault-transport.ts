import type { Subscription, Transport, TransportMessage } from "../../../src/transport/transport.ts";
import { ForwardingTransport } from "./forwarding-transport.ts";

/** What may happen to one message between a publisher and one subscriber. */
export const FAULTS = ["drop", "repeat", "delay", "truncate", "alter-table", "alter-content"] as const;
export type Fault = (typeof FAULTS)[number];

/** Says what happens to the message with this number, counted for each subscription. */
export type FaultPlan = (index: number, payload: Uint8Array) => Fault | undefined;

/** Decides by a seeded generator: `rate` of the messages meet one of the faults. */
export function seededPlan(seed: number, rate: number, faults: readonly Fault[] = FAULTS): FaultPlan {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return () => {
    const [hit, which] = [next(), next()];
    return hit < rate ? faults[Math.floor(which * faults.length)] : undefined;
  };
}

/**
 * A transport that spoils what its subscribers get, by a plan, and counts what it did. Publishing is left alone: a message
 * lost on its way in is one that no subscriber gets.
 */
export class FaultTransport extends ForwardingTransport {
  readonly #plan: FaultPlan;
  readonly fired = new Map<Fault, number>();

  constructor(inner: Transport, plan: FaultPlan) {
    super(inner);
    this.#plan = plan;
  }

  protected override async *received(inner: Subscription): AsyncGenerator<TransportMessage, void, undefined> {
    const late: TransportMessage[] = [];
    let index = 0;
    for await (const message of inner) {
      const fault = this.#plan(index, message.payload);
      index += 1;
      if (fault !== undefined) this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
      if (fault === "delay") late.push(message);
      else if (fault !== "drop") {
        yield fault === undefined || fault === "repeat" ? message : spoilt(message, fault);
        if (fault === "repeat") yield message;
      }
      // What is delayed comes after a few others: reordered.
      if (late.length > 3 || (late.length > 0 && index % 5 === 0)) yield* late.splice(0);
    }
  }
}

function spoilt({ subject, payload }: TransportMessage, fault: Fault): TransportMessage {
  if (fault === "truncate") return { subject, payload: payload.slice(0, Math.floor(payload.length / 2)) };
  const altered = Uint8Array.from(payload);
  // The table is at the end of a frame, the content behind its header of 40 bytes.
  const at = fault === "alter-table" ? altered.length - 1 : Math.min(60, altered.length - 1);
  altered[at] = (altered[at] ?? 0) ^ 0x55;
  return { subject, payload: altered };
}
