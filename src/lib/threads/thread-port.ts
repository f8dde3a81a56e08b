import { type MessagePort, parentPort } from "node:worker_threads";
import { loadNative } from "../disk/native.ts";
import { FanfoldError } from "../errors.ts";
import type { Begin } from "./loaded-threads.ts";
import { systemThread } from "./processor-time.ts";
import { LOADED, type ThreadName } from "./thread.ts";

/** The end that a thread has of its port. @throws FanfoldError `internal` in what is no thread */
export function threadPort(): MessagePort {
  if (parentPort === null)
    throw new FanfoldError("internal", "cannot start a thread: this file runs as a worker thread only");
  return parentPort;
}

/** Loads what all threads that touch the disk need, and says so. */
export function sayLoaded(port: MessagePort): void {
  loadNative();
  port.postMessage({ systemThread: systemThread() } satisfies ThreadName);
  port.postMessage(LOADED);
}

/** Serves a thread that is loaded before there is work: its first message begins the work, all others go on with it. */
export function serveThread<Start, Request extends object>(
  begin: (start: Begin<Start>, port: MessagePort) => { take(request: Request): void },
): void {
  const port = threadPort();
  let work: { take(request: Request): void } | undefined;
  port.on("message", (message: Begin<Start> | Request) => {
    if ("begin" in message) work = begin(message, port);
    else work?.take(message);
  });
  sayLoaded(port);
}
