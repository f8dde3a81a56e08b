import { describe, expect } from "vitest";
import { CaseGroup } from "./contract-case.ts";
import type { ContractHarness } from "./contract-harness.ts";
import {
  expectCode,
  freshPrefix,
  MIB,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  roundTrips,
  WIDE,
  watchStatus,
} from "./contract-tools.ts";

/** Drain and close. */
export function endingCases(harness: ContractHarness): void {
  describe("ends", () => {
    const group = new CaseGroup(harness);

    group.case("by drain with all that has arrived handed over", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const [publisher, subscriber] = [await connect(), await connect()];
      const subscription = await subscriber.subscribe(subject, WIDE);
      for (let index = 0; index < 20; index += 1)
        await publisher.publish(subject, numbered(index, 5000), { signal: NEVER });
      await roundTrips(subscriber, 5);
      const drained = subscriber.drain({ signal: NEVER });
      const messages = await readerOf(subscription).rest();
      await drained;
      expect(messages.map(numberOf).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    });

    group.case("by drain only after what it published has reached the broker", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const [publisher, subscriber] = [await connect(), await connect()];
      const reader = readerOf(await subscriber.subscribe(subject, WIDE));
      const burst = Array.from({ length: 50 }, (_, index) =>
        publisher.publish(subject, numbered(index, 20_000), { signal: NEVER }),
      );
      await publisher.drain({ signal: NEVER });
      await Promise.all(burst);
      expect((await reader.take(50)).map(numberOf).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 50 }, (_, index) => index),
      );
    });

    group.case("by close more than once, and refuses every use after it as closed", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const transport = await connect();
      const status = watchStatus(transport);
      const subscription = await transport.subscribe(subject, WIDE);
      await Promise.all([transport.close(), transport.close()]);
      await transport.close();
      await expectCode(transport.publish(subject, numbered(1), { signal: NEVER }), "closed");
      await expectCode(transport.subscribe(subject, { signal: NEVER, queueBytes: MIB }), "closed");
      expect(await readerOf(subscription).rest()).toEqual([]);
      await subscription.unsubscribe();
      await transport.drain({ signal: NEVER });
      await status.until(() => status.seen.some((seen) => seen.type === "closed"));
      for await (const late of transport.status()) expect.fail(`a status after close: ${late.type}`);
    });

    group.case("the iteration of a reader that waits when it closes", async ({ connect }) => {
      const transport = await connect();
      const reader = readerOf(await transport.subscribe(`${freshPrefix()}.data`, WIDE));
      const rest = reader.rest();
      await transport.close();
      expect(await rest).toEqual([]);
    });
  });
}
