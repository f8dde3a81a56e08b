import { parentPort } from "node:worker_threads";
import { loadNative } from "../../lib/disk/native.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { LOADED } from "../../lib/thread.ts";
import { EngineHost } from "./engine-host.ts";
import type { EngineMessage, EngineOrder } from "./engine-messages.ts";

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the writer: this file runs only as a worker thread");

let host: EngineHost | undefined;
port.on("message", (order: EngineOrder) => {
  if ("begin" in order) host = new EngineHost(order, (message: EngineMessage) => port.postMessage(message));
  else host?.take(order);
});
loadNative();
port.postMessage(LOADED);
