import { expect, onTestFinished, test } from "vitest";
import { buildFrame, decodeFrame, finishFrame } from "../../src/protocol/frame/frame.ts";
import { FRAME_BYTES_MIN, LIMITED_WINDOW_BYTES_MIN, SUBSCRIBER_QUEUE_BYTES } from "../../src/protocol/limits.ts";
import { coordinatorOf } from "../coordinator/coordinator-fixture.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { dataSubject, hostileMember, upSubjectOf } from "./hostile-member.ts";

const EVERY_MS = 20;
const PAGES = 20;
const FILES = PAGES * 1000;
const progress = { filesDone: 0, bytesDone: 0, currentFile: "" };

test("trailers of pages of which nothing is wanted wait for a sink that does not store them, and go on when it does", {
  timeout: 120_000,
}, async () => {
  await using lab = await CliLab.open();
  const from = lab.path("source");
  makeManyFiles(from, FILES, 8);
  const coordinator = await coordinatorOf();
  const idle = await hostileMember(coordinator, "sink", { label: "idle", labelAsked: true });
  const { signal } = new AbortController();
  const frames = await idle.transport.subscribe(dataSubject(idle.sessionId), {
    signal,
    queueBytes: SUBSCRIBER_QUEUE_BYTES,
  });
  lab.source(`localhost:${coordinator.port}`, from);
  let message = await idle.control.next();
  while (message.type !== "start") message = await idle.control.next();
  const { epoch } = message;
  let [sequence, received, stored] = [0, 0, 0];
  const say = (said: unknown) => {
    const start = { type: "up", sessionId: idle.sessionId, epoch, stream: 0 } as const;
    const frame = finishFrame(buildFrame(start, Buffer.from(JSON.stringify(said))), sequence);
    sequence += 1;
    idle.publish(upSubjectOf(idle.sessionId, idle.id), frame).catch(() => undefined);
  };
  // Its rate makes the window as small as it gets.
  const limit = { bytesPerSecond: LIMITED_WINDOW_BYTES_MIN, from: "option" };
  const report = () =>
    say({ type: "report", receivedUpTo: received, missing: [], storedUpTo: stored, progress, limit });
  const reports = setInterval(report, EVERY_MS);
  onTestFinished(() => clearInterval(reports));
  report();
  let [pages, trailers, trailerBytes, before] = [0, 0, 0, -1];
  const waits: number[] = [];
  for await (const { payload } of frames) {
    const frame = decodeFrame(payload);
    if (frame.type === "end") break;
    if (frame.type === "heartbeat") {
      // Nothing came between two heartbeats: the source has published all that it may.
      if (frame.sequence === before && trailerBytes > 0) {
        waits.push(trailerBytes);
        [stored, trailerBytes] = [received, 0];
      }
      before = frame.sequence;
      continue;
    }
    received = frame.sequence + 1;
    if (frame.type === "page") {
      say({ type: "want", page: pages, want: "none" });
      pages += 1;
    } else if (frame.type === "trailer") {
      trailers += 1;
      trailerBytes += payload.length;
    }
  }
  expect(trailers).toBe(pages);
  expect(waits.length).toBeGreaterThan(1);
  expect(Math.max(...waits)).toBeGreaterThan(LIMITED_WINDOW_BYTES_MIN / 2);
  expect(Math.max(...waits)).toBeLessThanOrEqual(LIMITED_WINDOW_BYTES_MIN + FRAME_BYTES_MIN);
});
