import { describe, expect } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import type { TransportMessage } from "../../src/transport/transport.ts";
import { CaseGroup, required } from "./contract-case.ts";
import type { ContractHarness } from "./contract-harness.ts";
import {
  freshPrefix,
  isWhole,
  MIB,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  roundTrips,
  WIDE,
  watchStatus,
} from "./contract-tools.ts";

const KIB = 1024;

/** What happens to those who are slow, and to the others meanwhile. */
export function pressureCases(harness: ContractHarness): void {
  describe("under pressure", () => {
    const group = new CaseGroup(harness);

    group.case(
      "drops whole messages of a subscriber that does not read, beyond its bound, and holds nobody",
      async ({ connect }) => {
        const subject = `${freshPrefix()}.data`;
        const [publisher, healthy, stalled] = [
          await connect("publisher"),
          await connect("healthy"),
          await connect("stalled"),
        ];
        const status = watchStatus(stalled);
        const queueBytes = MIB;
        const messageBytes = 64 * KIB;
        const count = 128;
        const reader = readerOf(await healthy.subscribe(subject, WIDE));
        const idle = await stalled.subscribe(subject, { signal: NEVER, queueBytes });

        const received: number[] = [];
        for (let index = 0; index < count; index += 1) {
          await publisher.publish(subject, numbered(index, messageBytes), { signal: NEVER });
          received.push(...(await reader.take(1)).map(numberOf));
        }
        expect(received.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));

        await roundTrips(stalled, 3);
        if (!group.skips("loss-counted")) await status.until(() => status.lost() >= count - queueBytes / messageBytes);
        const kept = await drainedMessages(idle, () => stalled.drain({ signal: NEVER }));
        expect(kept.length).toBeLessThan(count);
        // A queue at the broker and one at the client: each may hold its own bound.
        expect(kept.length * messageBytes).toBeLessThanOrEqual(2 * queueBytes);
        expect(kept.every(isWhole)).toBe(true);
        if (!group.skips("loss-counted")) expect(kept.length + status.lost()).toBe(count);
      },
    );

    group.case("keeps what is within the bound of a subscriber that reads late", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const [publisher, late] = [await connect(), await connect()];
      const reader = await late.subscribe(subject, { signal: NEVER, queueBytes: 8 * MIB });
      for (let index = 0; index < 64; index += 1)
        await publisher.publish(subject, numbered(index, 64 * KIB), { signal: NEVER });
      await roundTrips(late, 3);
      expect((await readerOf(reader).take(64)).map(numberOf).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 64 }, (_, index) => index),
      );
    });

    group.caseOf(
      "stalled-publisher",
      "holds a publisher whose link stalls, and its signal releases it",
      async ({ broker, closing, connect }) => {
        const stall = required(broker.stallPublisherLink, "stalled-publisher");
        const subject = `${freshPrefix()}.data`;
        const healthy = await connect("healthy");
        const publisher = await stall.call(broker);
        closing(publisher.transport);
        const bytes = Math.min(publisher.transport.capabilities.payloadLimitBytes, MIB);
        const total = Math.ceil((96 * MIB) / bytes);

        const controller = new AbortController();
        let accepted = 0;
        const outcomes = Array.from({ length: total }, async (_, index) => {
          try {
            await publisher.transport.publish(subject, numbered(index, bytes), { signal: controller.signal });
            accepted += 1;
            return undefined;
          } catch (reason) {
            return reason;
          }
        });
        await roundTrips(healthy, 50);
        controller.abort(new FanfoldError("interrupted", "The test gave up"));
        const reasons = (await Promise.all(outcomes)).filter((reason) => reason !== undefined);
        await publisher.release();

        expect(accepted * bytes).toBeLessThanOrEqual(48 * MIB);
        expect(reasons.length).toBe(total - accepted);
        for (const reason of reasons) expect(reason).toBeInstanceOf(FanfoldError);
      },
    );

    group.case("refuses a publish and a subscribe whose signal has aborted", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const transport = await connect();
      const signal = AbortSignal.abort(new FanfoldError("interrupted", "The test gave up"));
      await expect(transport.publish(subject, numbered(1), { signal })).rejects.toBeInstanceOf(FanfoldError);
      await expect(transport.subscribe(subject, { signal, queueBytes: MIB })).rejects.toBeInstanceOf(FanfoldError);
    });
  });
}

/** Reads a subscription to its end while the transport drains: some adapters end it first, some wait for the reader. */
async function drainedMessages(
  subscription: AsyncIterable<TransportMessage>,
  drain: () => Promise<void>,
): Promise<TransportMessage[]> {
  const drained = drain();
  const messages: TransportMessage[] = [];
  for await (const message of subscription) messages.push(message);
  await drained;
  return messages;
}
