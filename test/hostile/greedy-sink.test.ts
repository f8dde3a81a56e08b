import { expect, onTestFinished, test } from "vitest";
import { buildFrame, decodeFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { REPAIR_BYTES_MIN, SUBSCRIBER_QUEUE_BYTES, WINDOW_BYTES_MAX } from "../../src/protocol/limits.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { MemoryWatch } from "../helpers/processes/memory-watch.ts";
import { makeLongFile, makeManyFiles } from "../helpers/trees/tree.ts";
import { dataSubject, hostileMember, upSubjectOf } from "./hostile-member.ts";

const MIB = 1024 * 1024;
const EVERY_MS = 20;
/** By then the window has grown to its largest. */
const STORED_BYTES = 96 * MIB;
const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };

test("a sink that stores nothing any more and asks for all of it again and again fails, within the memory of its source", {
  timeout: 120_000,
}, async () => {
  await using lab = await CliLab.open();
  const from = lab.path("source");
  makeManyFiles(from, 3);
  makeLongFile(`${from}/large`, 192);
  const coordinator = await coordinatorOf();
  const liar = await hostileMember(coordinator, "sink", { label: "liar", labelAsked: true });
  const { signal } = new AbortController();
  const data = await liar.transport.subscribe(dataSubject(liar.sessionId), {
    signal,
    queueBytes: SUBSCRIBER_QUEUE_BYTES,
  });
  let [received, receivedBytes] = [0, 0];
  void (async () => {
    for await (const { payload } of data) {
      const { type, sequence: at } = decodeFrame(payload);
      if (type === "heartbeat" || receivedBytes > STORED_BYTES) continue;
      received = Math.max(received, at + 1);
      receivedBytes += payload.length;
    }
  })();
  const source = lab.source(`localhost:${coordinator.port}`, from);
  using memory = new MemoryWatch(new Map([["source", source.pid]]));
  let message = await liar.control.next();
  while (message.type !== "start") message = await liar.control.next();
  const { epoch } = message;
  let sequence = 0;
  const say = (said: unknown) => {
    const frame = buildFrame(
      { type: "up", sessionId: liar.sessionId, epoch, stream: 0 },
      Buffer.from(JSON.stringify(said)),
    );
    finishFrame(frame, sequence);
    sequence += 1;
    liar.publish(upSubjectOf(liar.sessionId, liar.id), frame).catch(() => undefined);
  };
  const again = setInterval(() => {
    // So few entries are one page.
    say({ type: "want", page: 0, want: "all" });
    const missing = receivedBytes > STORED_BYTES ? [[received, 2 ** 50]] : [];
    say({ type: "report", receivedUpTo: received, missing, storedUpTo: received, progress });
  }, EVERY_MS);
  onTestFinished(() => clearInterval(again));
  await source.exit();
  const { summary } = await source.event("finished");
  expect(summary.sinks).toMatchObject([{ outcome: "failed", code: "frames-lost" }]);
  expect(summary.bytesSentAgain).toBeLessThan(REPAIR_BYTES_MIN + 2 * WINDOW_BYTES_MAX);
  // An honest session of this size takes 175 MiB.
  expect(memory.peakBytes.get("source")).toBeLessThan(208 * MIB);
});
