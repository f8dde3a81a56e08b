import { serveThread } from "../../lib/threads/thread-port.ts";
import { EngineHost } from "./engine-host.ts";
import type { EngineMessage, EngineRequest, EngineStart } from "./engine-messages.ts";

serveThread<EngineStart, EngineRequest>(
  (start, port) => new EngineHost(start, (message: EngineMessage) => port.postMessage(message)),
);
