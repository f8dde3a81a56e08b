import { afterAll, beforeAll, describe } from "vitest";
import type { RabbitBroker } from "../helpers/brokers/broker-types.ts";
import { brokersAvailable, startRabbit } from "../helpers/brokers/brokers.ts";
import { contractBroker } from "../helpers/brokers/contract-broker.ts";
import { transportContract } from "./transport-contract.ts";

describe.skipIf(!brokersAvailable("rabbit"))("on RabbitMQ", () => {
  // One for all groups of the contract, because it takes seconds to start.
  let broker: RabbitBroker;
  beforeAll(async () => {
    broker = await startRabbit();
  }, 90_000);
  afterAll(() => broker.stop());

  transportContract("amqp", {
    start: async () => ({ ...contractBroker("amqp", broker), stop: async () => undefined }),
  });
});
