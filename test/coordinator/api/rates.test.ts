import { expect, test } from "vitest";
import { readOperatorPass } from "../../../src/coordinator/access/local-operator.ts";
import type { SessionRates } from "../../../src/protocol/api/answer-schemas.ts";
import type { CopyProgress } from "../../../src/protocol/messages/progress.ts";
import { clientOf, coordinatorOf, stateFolder } from "../coordinator-fixture.ts";

function progressAt(elapsedMs: number, bytesSent: number): CopyProgress {
  return {
    ...{
      filesFound: 1,
      filesDone: 0,
      bytesFound: 1e9,
      bytesDone: bytesSent,
      discoveryEnded: true,
      bytesUnchanged: 0,
      bytesKept: 0,
    },
    ...{ bytesSent, bytesSentAgain: 0, bytesCaughtUp: 0, currentFile: "a", rateBytesPerSecond: 0, elapsedMs },
  };
}

async function ratesOf(port: number, id: string): Promise<SessionRates | number> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/sessions/${id}/rates`);
  return response.ok ? ((await response.json()) as SessionRates) : response.status;
}

test("the rate of a session is told from its start on, while it runs, when it is over, and after a restart", async () => {
  const stateDir = await stateFolder();
  const coordinator = await coordinatorOf({ stateDir });
  const { port } = coordinator;
  const [sink, source] = [await clientOf(coordinator), await clientOf(coordinator)];
  const { sessionId } = await sink.enter("sink", { session: "photos" });
  expect(await ratesOf(port, sessionId)).toEqual({ rates: [] });
  expect(await ratesOf(port, "aaaaaaaaaaaa")).toBe(404);
  await source.enter("source", { session: "photos", destCount: 1 });
  await expect.poll(() => coordinator.sessions()[0]?.state).toBe("running");
  for (const [elapsedMs, bytesSent] of [
    [1000, 5000],
    [1500, 9000],
    [3000, 9000],
  ] as const)
    source.raw(JSON.stringify({ type: "progress", progress: progressAt(elapsedMs, bytesSent) }));
  const rates = [
    { untilMs: 1000, bytesPerSecond: 5000 },
    { untilMs: 3000, bytesPerSecond: 2000 },
  ];
  await expect.poll(() => ratesOf(port, sessionId)).toEqual({ rates });
  const { token } = readOperatorPass(stateDir);
  const cancelled = await fetch(`http://127.0.0.1:${port}/api/v1/sessions/${sessionId}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${token}` },
  });
  expect(cancelled.status).toBe(200);
  await expect.poll(() => coordinator.sessions()).toEqual([]);
  expect(await ratesOf(port, sessionId)).toEqual({ rates });
  await coordinator.close();
  const { port: later } = await coordinatorOf({ stateDir });
  expect(await ratesOf(later, sessionId)).toEqual({ rates });
});
