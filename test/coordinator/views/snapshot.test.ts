import { expect, test } from "vitest";
import { clientOf, coordinatorOf } from "../coordinator-fixture.ts";

test("a coordinator gives a snapshot of the sessions that wait or run, and of no other", async () => {
  const coordinator = await coordinatorOf();
  expect(coordinator.sessions()).toEqual([]);
  const [one, other] = [await clientOf(coordinator), await clientOf(coordinator)];
  const { sessionId } = await one.enter("sink", { session: "photos" });
  await other.enter("sink", { session: "nightly" });
  await expect
    .poll(() => coordinator.sessions().map(({ session, state, sinks }) => [session, state, sinks.length]))
    .toEqual([
      ["photos", "waiting", 1],
      ["nightly", "waiting", 1],
    ]);
  expect(coordinator.sessions()[0]?.sessionId).toBe(sessionId);
  one.socket.close();
  await expect.poll(() => coordinator.sessions().map(({ session }) => session)).toEqual(["nightly"]);
});
