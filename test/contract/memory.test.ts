import { createMemoryBroker } from "../helpers/transports/memory-broker.ts";
import { transportContract } from "./transport-contract.ts";

transportContract("memory", {
  skips: {
    "wrong-credentials": "a memory broker has none",
    unreachable: "a memory broker is always there",
    restart: "a memory broker ends with its process",
    "stalled-publisher": "a memory link does not stall",
  },
  async start() {
    const broker = createMemoryBroker();
    return { connect: async () => broker.connect(), stop: async () => undefined };
  },
});
