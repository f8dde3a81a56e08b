import { describe, expect } from "vitest";
import { CaseGroup, required } from "./contract-case.ts";
import type { ContractHarness } from "./contract-harness.ts";
import {
  expectCode,
  freshPrefix,
  NEVER,
  numbered,
  numberOf,
  readerOf,
  roundTrips,
  WIDE,
  watchStatus,
} from "./contract-tools.ts";

/** A broker that refuses, is not there, or goes and comes back. */
export function brokerCases(harness: ContractHarness): void {
  describe("with its broker", () => {
    const group = new CaseGroup(harness);

    group.caseOf("wrong-credentials", "tells wrong credentials as broker-denied", async ({ broker }) => {
      await expectCode(required(broker.connectWrongCredentials, "wrong-credentials").call(broker), "broker-denied");
    });

    group.caseOf("unreachable", "tells a broker that is not there as broker-unreachable", async ({ broker }) => {
      await expectCode(required(broker.connectUnreachable, "unreachable").call(broker), "broker-unreachable");
    });

    group.caseOf(
      "restart",
      "comes back after a restart of the broker, with its subscriptions",
      async ({ broker, connect }) => {
        const subject = `${freshPrefix()}.data`;
        const [publisher, subscriber] = [await connect("publisher"), await connect("subscriber")];
        const links = [watchStatus(publisher), watchStatus(subscriber)];
        const reader = readerOf(await subscriber.subscribe(subject, WIDE));
        await publisher.publish(subject, numbered(1), { signal: NEVER });
        expect((await reader.take(1)).map(numberOf)).toEqual([1]);

        await required(broker.restart, "restart").call(broker);
        for (const link of links) {
          await link.until(() => link.seen.some(({ type }) => type === "reconnected"));
          const kinds = link.seen.map(({ type }) => type);
          expect(kinds.indexOf("disconnected")).toBeGreaterThanOrEqual(0);
          expect(kinds.indexOf("disconnected")).toBeLessThan(kinds.indexOf("reconnected"));
        }

        await roundTrips(publisher, 1);
        await publisher.publish(subject, numbered(2), { signal: NEVER });
        expect((await reader.take(1)).map(numberOf)).toEqual([2]);
      },
    );
  });
}
