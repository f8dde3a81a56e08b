import { afterAll, beforeAll, describe } from "vitest";
import type { RabbitBroker } from "../helpers/brokers/broker-types.ts";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { contractBroker, targetBroker } from "../helpers/brokers/contract-broker.ts";
import { type ScopedRabbit, startScopedRabbit } from "../helpers/brokers/scoped-rabbit.ts";
import { transportContract } from "./transport-contract.ts";

describe.skipIf(!brokersAvailable("rabbit"))("on RabbitMQ", () => {
  // One for all groups of the contract, because it takes seconds to start.
  let broker: ScopedRabbit & RabbitBroker;
  beforeAll(async () => {
    broker = await startScopedRabbit();
  });
  afterAll(() => broker.stop());
  const stop = async (): Promise<void> => undefined;

  transportContract("amqp", {
    start: async () => ({ ...contractBroker("amqp", { ...broker, url: broker.rootUrl }), stop }),
  });

  describe("over TLS, with rights that a token carries", () => {
    transportContract("amqp", {
      start: async () => {
        const rights = broker.sign([
          ...(["configure", "write", "read"] as const).map((permission) => ({ permission, name: "amq.gen*" })),
          ...(["write", "read"] as const).map((permission) => ({ permission, name: "fanfold*", keys: "*" })),
        ]);
        const target = (url: string, { token } = rights) =>
          ({ kind: "amqp", url, ca: [broker.authority], credentials: () => ({ token }) }) as const;
        const overTls = { ...broker, url: broker.tlsUrl, port: broker.tlsPort };
        const wrong = target(broker.tlsUrl, { token: "no token" });
        return { ...targetBroker(overTls, { target, wrong, makerUrl: broker.rootUrl }), stop };
      },
    });
  });
});
