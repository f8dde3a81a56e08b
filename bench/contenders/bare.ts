import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { abortable } from "../../src/lib/async/abort.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import type { BareLoop, BrokerKind } from "../bare/loop.ts";
import type { Broker } from "./broker.ts";
import type { Contender, Job } from "./contender.ts";
import { likeSource } from "./like-source.ts";
import { NodeProgram } from "./node-program.ts";

const FOLDER = new URL("../bare/", import.meta.url).pathname;
const PATIENCE_MS = 10_000;

export interface BareOptions {
  readonly broker: Broker;
  readonly payloadBytes: number;
  readonly name?: string;
}

/**
 * The client library alone: one process reads, hashes and publishes, as many as there are copies receive, hash and write.
 * Over the same broker as fanfold, and for the same clock: subscribers are up, and the publisher starts.
 */
export function bareLoop(kind: BrokerKind, { broker, payloadBytes, name = bareName(kind) }: BareOptions): Contender {
  return {
    name,
    suits: (workload) => workload === "big",
    async run({ source, copies, scratch, profiles, signal }: Job, meter) {
      const [file = ""] = readdirSync(source);
      const from = join(source, file);
      const shared = { kind, url: broker.url, id: systemRandom.id(8), fileBytes: lstatSync(from).size, payloadBytes };
      const loop = { ...shared, subscribers: copies.length };
      await using started = new AsyncDisposableStack();
      const start = (program: string, args: BareLoop, onLine: (line: string) => void): NodeProgram => {
        const script = join(FOLDER, `${program}-program.ts`);
        const own = { name: `${program}-${args.index + 1}`, scratch, profiles, onLine };
        const node = NodeProgram.start([script, JSON.stringify(args)], own);
        started.use(node.program);
        meter.watch(program, node.program.pid);
        return node;
      };
      const subscribers = copies.map((copy, index) => {
        const ready = Promise.withResolvers<string>();
        const node = start("subscriber", { ...loop, path: join(copy, file), index }, ready.resolve);
        return { node, ready: ready.promise };
      });
      const all = Promise.all(subscribers.map(({ ready }) => ready));
      const failures = subscribers.map(({ node }) => node.program.failed());
      for (const failure of failures) failure.catch(() => undefined);
      const soon = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
      await abortable(Promise.race([all, ...failures]), soon);
      if (broker.pid !== undefined) meter.watch("broker", broker.pid, { external: true });
      meter.start();
      const publisher = start("publisher", { ...loop, path: from, index: 0 }, () => undefined);
      const nodes = [publisher, ...subscribers.map(({ node }) => node)];
      await Promise.all(nodes.map(({ program }) => program.succeeded(signal)));
      const usage = await meter.stop();
      for (const copy of copies) likeSource(source, copy, file);
      const { cpuMs, sentBytes } = publisher.facts();
      return { ...usage, sentBytes, cpuMsByRole: { ...usage.cpuMsByRole, publisher: cpuMs } };
    },
  };
}

export function bareName(kind: string): string {
  return `bare loop ${kind}`;
}

/** What fanfold's adapter for this broker asks for. */
export async function preferredPayloadBytes(kind: BrokerKind, url: string): Promise<number> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const transport = await connectTransport({ kind, url }, { clientName: "fanfold bench", clock: systemClock, signal });
  await transport.close();
  return transport.capabilities.preferredPayloadBytes;
}
