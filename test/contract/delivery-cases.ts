import { randomBytes } from "node:crypto";
import { describe, expect } from "vitest";
import { CaseGroup } from "./contract-case.ts";
import type { ContractHarness } from "./contract-harness.ts";
import {
  bytesOf,
  expectCode,
  freshPrefix,
  isWhole,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  roundTrips,
  text,
  WIDE,
} from "./contract-tools.ts";

/** What arrives, where, and whole. */
export function deliveryCases(harness: ContractHarness): void {
  describe("delivers", () => {
    const group = new CaseGroup(harness);

    group.case("what is published after subscribe resolved", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const [publisher, subscriber] = [await connect("publisher"), await connect("subscriber")];
      const reader = readerOf(await subscriber.subscribe(subject, WIDE));
      await publisher.publish(subject, bytesOf("hello"), { signal: NEVER });
      const [message] = await reader.take(1);
      expect(message?.subject).toBe(subject);
      expect(text(message)).toBe("hello");
    });

    group.case("the messages of one publisher in order, if its capabilities say so", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const [publisher, subscriber] = [await connect(), await connect()];
      const reader = readerOf(await subscriber.subscribe(subject, WIDE));
      const published = Array.from({ length: 500 }, (_, index) => index);
      for (const index of published) await publisher.publish(subject, numbered(index), { signal: NEVER });
      const received = (await reader.take(published.length)).map(numberOf);
      if (!publisher.capabilities.ordered) received.sort((a, b) => a - b);
      expect(received).toEqual(published);
    });

    group.case("a burst that is not awaited one by one in the order of the calls", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const [publisher, subscriber] = [await connect(), await connect()];
      const reader = readerOf(await subscriber.subscribe(subject, WIDE));
      const published = Array.from({ length: 300 }, (_, index) => index);
      // Sizes that change from message to message find an adapter that treats small and large ones differently.
      const sizes = [8, 40_000, 500, 9000];
      const burst = published.map((index) =>
        publisher.publish(subject, numbered(index, sizes[index % 4]), { signal: NEVER }),
      );
      const messages = await reader.take(published.length);
      await Promise.all(burst);
      const received = messages.map(numberOf);
      if (!publisher.capabilities.ordered) received.sort((a, b) => a - b);
      expect(received).toEqual(published);
      expect(messages.every(isWhole)).toBe(true);
    });

    group.case("to several subscribers, each its own whole copy", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const publisher = await connect();
      const subscribers = await Promise.all([connect(), connect(), connect()]);
      const readers = await Promise.all(subscribers.map(async (one) => readerOf(await one.subscribe(subject, WIDE))));
      const payload = randomBytes(70_000);
      await publisher.publish(subject, payload, { signal: NEVER });
      for (const reader of readers) {
        const [message] = await reader.take(1);
        expect(payload.equals(message?.payload ?? Buffer.alloc(0))).toBe(true);
        // The reader owns what it got: writing to it must not change what the next reader gets.
        message?.payload.fill(0);
      }
    });

    group.case("to two subscriptions of one connection", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const both = await connect();
      const [first, second] = [
        readerOf(await both.subscribe(subject, WIDE)),
        readerOf(await both.subscribe(subject, WIDE)),
      ];
      await both.publish(subject, bytesOf("twice"), { signal: NEVER });
      expect((await first.take(1)).map(text)).toEqual(["twice"]);
      expect((await second.take(1)).map(text)).toEqual(["twice"]);
    });

    group.case("to the subject that was named and to no other", async ({ connect }) => {
      const prefix = freshPrefix();
      const [publisher, subscriber] = [await connect(), await connect()];
      const data = readerOf(await subscriber.subscribe(`${prefix}.data`, WIDE));
      const other = readerOf(await subscriber.subscribe(`${prefix}.data2`, WIDE));
      for (const subject of [`${prefix}.dat`, `${prefix}.data.x`, `${prefix}.data2`, `${prefix}.data`]) {
        await publisher.publish(subject, bytesOf(subject), { signal: NEVER });
      }
      expect((await data.take(1)).map(text)).toEqual([`${prefix}.data`]);
      expect((await other.take(1)).map(text)).toEqual([`${prefix}.data2`]);
    });

    group.case("to a final wildcard what has exactly one token in its place", async ({ connect }) => {
      const prefix = `${freshPrefix()}.up`;
      const [publisher, subscriber] = [await connect(), await connect()];
      const reader = readerOf(await subscriber.subscribe(`${prefix}.*`, WIDE));
      for (const subject of [`${prefix}.alpha`, `${prefix}.alpha.beta`, prefix, `${prefix}s.alpha`, `${prefix}.beta`]) {
        await publisher.publish(subject, bytesOf(subject), { signal: NEVER });
      }
      const messages = await reader.take(2);
      expect(messages.map((message) => message.subject).sort()).toEqual([`${prefix}.alpha`, `${prefix}.beta`]);
      expect(messages.map(text).sort()).toEqual([`${prefix}.alpha`, `${prefix}.beta`]);
    });

    group.case("an empty payload as an empty message", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const transport = await connect();
      const reader = readerOf(await transport.subscribe(subject, WIDE));
      await transport.publish(subject, new Uint8Array(0), { signal: NEVER });
      await transport.publish(subject, [], { signal: NEVER });
      const messages = await reader.take(2);
      expect(messages.map((message) => message.payload.length)).toEqual([0, 0]);
    });

    group.case("a payload given in parts as one", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const transport = await connect();
      const reader = readerOf(await transport.subscribe(subject, WIDE));
      const parts = [bytesOf("one,"), new Uint8Array(0), randomBytes(100_000), bytesOf(",three")];
      await transport.publish(subject, parts, { signal: NEVER });
      const [message] = await reader.take(1);
      expect(Buffer.concat(parts).equals(message?.payload ?? Buffer.alloc(0))).toBe(true);
    });

    group.case(
      "payloads of the limit and of the preferred size whole, and refuses one byte over the limit",
      async ({ connect }) => {
        const subject = `${freshPrefix()}.data`;
        const transport = await connect();
        const { payloadLimitBytes, preferredPayloadBytes } = transport.capabilities;
        expect(preferredPayloadBytes).toBeLessThanOrEqual(payloadLimitBytes);
        const reader = readerOf(await transport.subscribe(subject, WIDE));
        for (const size of [preferredPayloadBytes, payloadLimitBytes]) {
          const payload = randomBytes(size);
          await transport.publish(subject, payload, { signal: NEVER });
          const [message] = await reader.take(1);
          expect(payload.equals(message?.payload ?? Buffer.alloc(0))).toBe(true);
        }
        await expectCode(
          transport.publish(subject, new Uint8Array(payloadLimitBytes + 1), { signal: NEVER }),
          "payload-too-large",
        );
        const parts = [new Uint8Array(payloadLimitBytes), new Uint8Array(1)];
        await expectCode(transport.publish(subject, parts, { signal: NEVER }), "payload-too-large");
        await transport.publish(subject, bytesOf("still works"), { signal: NEVER });
        expect((await reader.take(1)).map(text)).toEqual(["still works"]);
      },
    );

    group.case("nothing any more after unsubscribe, which ends the iteration", async ({ connect }) => {
      const subject = `${freshPrefix()}.data`;
      const transport = await connect();
      const gone = await transport.subscribe(subject, WIDE);
      const kept = readerOf(await transport.subscribe(subject, WIDE));
      await gone.unsubscribe();
      await gone.unsubscribe();
      await transport.publish(subject, bytesOf("later"), { signal: NEVER });
      expect((await kept.take(1)).map(text)).toEqual(["later"]);
      await roundTrips(transport, 3);
      expect(await readerOf(gone).rest()).toEqual([]);
    });
  });
}
