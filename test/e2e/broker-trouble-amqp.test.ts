import { describe } from "vitest";
import { brokersAvailable, startRabbit } from "../helpers/brokers/brokers.ts";
import { brokerTrouble } from "./broker-trouble-cases.ts";

describe.skipIf(!brokersAvailable("rabbit"))("with RabbitMQ", () => {
  brokerTrouble("RabbitMQ", () => startRabbit());
});
