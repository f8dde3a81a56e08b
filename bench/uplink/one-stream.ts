import { readdirSync } from "node:fs";
import { join } from "node:path";
import { abortable } from "../../src/lib/async/abort.ts";
import type { Contender, Job } from "../contenders/contender.ts";
import { likeSource } from "../contenders/like-source.ts";
import { NodeProgram } from "../contenders/node-program.ts";
import type { Network } from "./network.ts";

const PROGRAM = new URL("stream-program.ts", import.meta.url).pathname;
/** Its name in tables. */
export const ONE_STREAM = "one TCP stream to one";
const PORT = "7400";
const PATIENCE_MS = 10_000;

/** What the link can do: the file sent once, to one sink, by a plain TCP stream that nobody looks into. */
export function oneStream({ source, sinks }: Network): Contender {
  return {
    name: ONE_STREAM,
    copiesMax: 1,
    async run(job: Job, meter) {
      const { copies, scratch, signal } = job;
      const [sink, copy = ""] = [sinks[0], copies[0]];
      const [file = ""] = readdirSync(job.source);
      if (sink === undefined) throw new Error("the network has no sink");
      await using started = new AsyncDisposableStack();
      const ready = Promise.withResolvers<string>();
      const receiver = NodeProgram.start([PROGRAM, "receive", sink.address, PORT, join(copy, file)], {
        name: "receiver",
        scratch,
        by: sink.run,
        onLine: ready.resolve,
      });
      started.use(receiver.program);
      const failure = receiver.program.failed();
      failure.catch(() => undefined);
      const soon = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      await abortable(Promise.race([ready.promise, failure]), soon);
      meter.watch("receiver", receiver.program.pid);
      meter.start();
      const args = [PROGRAM, "send", sink.address, PORT, join(job.source, file)];
      const sender = NodeProgram.start(args, { name: "sender", scratch, by: source.run });
      started.use(sender.program);
      meter.watch("sender", sender.program.pid);
      await Promise.all([sender, receiver].map(({ program }) => program.succeeded(signal)));
      const usage = await meter.stop();
      likeSource(job.source, copy, file);
      return usage;
    },
  };
}
