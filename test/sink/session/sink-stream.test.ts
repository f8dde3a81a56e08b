import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { Throttle } from "../../../src/member/limit/throttle.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../../../src/protocol/limits.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { Reporter } from "../../../src/sink/session/reporter.ts";
import { SinkStream } from "../../../src/sink/session/sink-stream.ts";
import { engineFeed, usualTask } from "../../helpers/copies/copy-parts.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { createMemoryBroker } from "../../helpers/transports/memory-broker.ts";

test("both subjects of a sink go on when the engine has room again", async () => {
  const stop = new AbortController();
  const folder = openSinkFolder(tempFolder(), systemRandom);
  onTestFinished(() => folder[Symbol.dispose]());
  const scope = { sessionId: "abcdefghijkl", epoch: 1, stream: 0 };
  const runtime = { clock: systemClock, signal: stop.signal, emit: () => undefined };
  const transport = createMemoryBroker({ preferredPayloadBytes: 64 * 1024 }).connect();
  const reporter = new Reporter({ scope, up: { transport, subject: "fanfold.abcdefghijkl.up.k1k1k1" }, runtime });
  onTestFinished(() => reporter[Symbol.dispose]());
  const session = new SinkStream({
    scope,
    task: usualTask(folder),
    feed: engineFeed({ exclusivePayloads: true }),
    reporter,
    runtime,
  });
  const run = session.run();
  run.catch(() => undefined);
  // No frames: the engine drops them, and says that they are dealt with.
  const large = (): Uint8Array => new Uint8Array(SUBSCRIBER_QUEUE_BYTES / 2);
  expect(session.take(large())).toBeUndefined();
  await turn();
  await Promise.all([session.take(large()), session.take(large())]);
  stop.abort(new FanfoldError("closed", "The test is over"));
  await expect(run).rejects.toMatchObject({ code: "closed" });
});

test("what a rate holds waits with the transport, and is let go of when the stream is over", async () => {
  const stop = new AbortController();
  const folder = openSinkFolder(tempFolder(), systemRandom);
  onTestFinished(() => folder[Symbol.dispose]());
  const scope = { sessionId: "abcdefghijkl", epoch: 1, stream: 0 };
  const runtime = { clock: systemClock, signal: stop.signal, emit: () => undefined };
  const transport = createMemoryBroker({ preferredPayloadBytes: 64 * 1024 }).connect();
  const reporter = new Reporter({ scope, up: { transport, subject: "fanfold.abcdefghijkl.up.k1k1k1" }, runtime });
  onTestFinished(() => reporter[Symbol.dispose]());
  const clock = handClock();
  const throttle = new Throttle(1000, clock);
  const feed = engineFeed({ exclusivePayloads: true, bandwidth: { throttle, applied: undefined } });
  const session = new SinkStream({ scope, task: usualTask(folder), feed, reporter, runtime });
  const run = session.run();
  run.catch(() => undefined);
  expect(session.take(new Uint8Array(10_000))).toBeUndefined();
  let isTaken = false;
  const second = Promise.resolve(session.take(new Uint8Array(1_000))).then(() => {
    isTaken = true;
  });
  clock.advance(9_999);
  await turn();
  expect(isTaken).toBe(false);
  clock.advance(1);
  await second;
  const third = session.take(new Uint8Array(1_000));
  expect(third).toBeInstanceOf(Promise);
  stop.abort(new FanfoldError("closed", "The test is over"));
  await expect(run).rejects.toMatchObject({ code: "closed" });
  await third;
});
