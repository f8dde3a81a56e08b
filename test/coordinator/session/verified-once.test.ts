import { expect, test } from "vitest";
import type { Coordinator } from "../../../src/coordinator/open-coordinator.ts";
import { clientOf, coordinatorOf, EventReader, stateFolder } from "../coordinator-fixture.ts";

const reportAt = (startedAt: string, result: string) => ({
  ...{ by: "schedule", result, trees: 1, files: 10, bytes: 100, differing: 0, missing: 0, wanted: 0, problems: [] },
  ...{ startedAt, endedAt: startedAt },
});

/** A sink with the same key each time joins, and says so. */
async function say(coordinator: Coordinator, reports: readonly ReturnType<typeof reportAt>[]): Promise<void> {
  const sink = await clientOf(coordinator);
  await sink.enter("sink", { seed: "7".repeat(64), stay: true });
  for (const report of reports) sink.raw(JSON.stringify({ type: "verified", report }));
}

test.each(["equal", "stopped"])("a sink says again what a coordinator before this one has told: %s", async (result) => {
  const stateDir = await stateFolder();
  const said = reportAt("2026-11-01T03:00:00.000Z", result);
  const first = await coordinatorOf({ stateDir });
  const before = new EventReader(first);
  await say(first, [said]);
  expect((await before.until("verified")).report).toMatchObject(said);
  await first.close();

  const second = await coordinatorOf({ stateDir });
  const events = new EventReader(second);
  const news = reportAt("2026-11-02T03:00:00.000Z", result);
  await say(second, [said, news]);
  expect((await events.until("verified")).report).toMatchObject(news);
});
