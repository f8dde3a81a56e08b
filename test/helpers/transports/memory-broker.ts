import { Router } from "../../../src/transport/router.ts";
import { connectRouter } from "../../../src/transport/router-transport.ts";
import type { Transport } from "../../../src/transport/transport.ts";

/** A broker inside this process. */
interface MemoryBroker {
  readonly router: Router;
  connect(): Transport;
}

interface MemoryBrokerOptions {
  readonly payloadLimitBytes?: number;
  readonly preferredPayloadBytes?: number;
}

export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const router = new Router();
  return { router, connect: () => connectRouter(router, { ...options, kind: "memory" }) };
}
