import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { SUBSCRIBER_QUEUE_BYTES } from "../../../src/protocol/limits.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { Reporter } from "../../../src/sink/session/reporter.ts";
import { SinkStream } from "../../../src/sink/session/sink-stream.ts";
import { createMemoryBroker } from "../../../src/transport/memory.ts";
import { engineFeed, usualTask } from "../../helpers/copies/copy-parts.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

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
