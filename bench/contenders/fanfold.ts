import type { Usage } from "../measure.ts";
import type { Contender } from "./contender.ts";
import { Crew, type CrewOptions } from "./crew.ts";

/**
 * The built command, every role a process of its own: coordinator and sinks are up and registered when the clock starts
 * with the source, and it stops when source and sinks have ended.
 */
export function fanfold(transport: string, options: CrewOptions): Contender {
  const { isGuarded, isSealed, delta } = options;
  const marks = [isGuarded === true && "guarded", isSealed === true && "sealed", delta && `delta ${delta}`];
  return {
    name: [`fanfold ${transport}`, ...marks.filter(Boolean)].join(", "),
    async run(job, meter): Promise<Usage> {
      await using crew = await Crew.open(job, options);
      crew.watch(meter);
      meter.start();
      const source = crew.startSource();
      meter.watch("source", source.program.pid);
      await Promise.all([source, ...crew.sinks].map(({ program }) => program.succeeded(job.signal)));
      const usage = await meter.stop();
      const { bytesSent, bytesSentAgain, bytesCaughtUp } = await crew.summary();
      const contentBytes = bytesSent + bytesSentAgain + bytesCaughtUp;
      if (job.again && contentBytes > 0) throw new Error(`${contentBytes} bytes of content were sent, want none`);
      const { cpuMs, peakBytes, sentBytes } = source.facts();
      const sinksBytes = crew.sinks.map((sink) => sink.facts().peakBytes);
      return {
        ...usage,
        sentBytes,
        contentBytes,
        cpuMsByRole: { ...usage.cpuMsByRole, source: cpuMs },
        peakBytes: { ...usage.peakBytes, source: peakBytes, sink: Math.max(...sinksBytes) },
      };
    },
  };
}
