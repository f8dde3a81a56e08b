import { describe } from "vitest";
import { brokersAvailable, startNats } from "../helpers/brokers/brokers.ts";
import { contractBroker } from "../helpers/brokers/contract-broker.ts";
import { transportContract } from "./transport-contract.ts";

describe.skipIf(!brokersAvailable("nats"))("on a NATS server", () => {
  transportContract("nats", {
    start: async () => contractBroker("nats", await startNats({ user: "guest", password: "p@ss/word%" })),
  });
});
