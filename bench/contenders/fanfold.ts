import { join } from "node:path";
import {
  type DemoProcess as Process,
  startInBackground,
  startWithEvents,
  stop,
} from "../../scripts/demo/demo-process.ts";
import { WaitingRoom } from "../../scripts/demo/waiting-room.ts";
import { abortable } from "../../src/lib/abort.ts";
import type { Meter, Usage } from "../measure.ts";
import type { Broker } from "./broker.ts";
import type { Contender, Job } from "./contender.ts";

/**
 * The built command, every role a process of its own: coordinator and sinks are up and registered when the clock starts
 * with the source, and it stops when source and sinks have ended.
 */
export function fanfold(transport: string, broker: Broker | undefined): Contender {
  return { name: `fanfold ${transport}`, run: (job, meter) => run(job, meter, broker) };
}

async function run(job: Job, meter: Meter, broker: Broker | undefined): Promise<Usage> {
  const { source, copies, scratch, signal } = job;
  const running = new AsyncDisposableStack();
  const add = (started: Process): Process => {
    running.defer(() => stop(started));
    return started;
  };
  const log = (name: string): string => join(scratch, `${name}.log`);
  try {
    const room = new WaitingRoom();
    const state = join(scratch, "coordinator");
    const args = ["coordinator", "--port", "0", "--broker", broker?.url ?? "embedded", "--state-dir", state];
    const coordinator = add(startWithEvents(args, log("coordinator"), (event) => room.take(event)));
    const address = await room.within(Promise.race([room.address, failure("coordinator", coordinator)]));
    const sinks = copies.map((copy, index) => {
      const name = `sink-${index + 1}`;
      return add(startInBackground(["sink", "--coordinator", address, "--name", name, copy], log(name)));
    });
    await room.within(Promise.race([room.registered(copies.length), ...sinks.map((sink) => failure("sink", sink))]));

    meter.watch("coordinator", coordinator.child.pid);
    for (const sink of sinks) meter.watch("sink", sink.child.pid);
    if (broker !== undefined) meter.watch("broker", broker.pid, { external: true });
    meter.start();
    const count = String(copies.length);
    const identity = join(scratch, "source");
    const sourceArgs = ["source", "--coordinator", address, "--dest-count", count, "--state-dir", identity, source];
    const sender = add(startInBackground(sourceArgs, log("source")));
    meter.watch("source", sender.child.pid);
    await Promise.all([success("source", sender, signal), ...sinks.map((sink) => success("sink", sink, signal))]);
    return await meter.stop();
  } finally {
    await running.disposeAsync();
  }
}

async function success(role: string, { ended, log }: Process, signal: AbortSignal): Promise<void> {
  const status = await abortable(ended, signal);
  if (status !== 0) throw new Error(`The ${role} ended with exit status ${status}: ${log().trim().slice(-500)}`);
}

async function failure(role: string, { ended, log }: Process): Promise<never> {
  throw new Error(`The ${role} ended with exit status ${await ended}: ${log().trim().slice(-500)}`);
}
