import { expect, test } from "vitest";
import { clientOf, coordinatorOf } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";

test("whoever fails again and again waits, and is banned; who is right comes in meanwhile, from the same address", async () => {
  const clock = new ManualClock();
  const coordinator = await coordinatorOf({ clock });
  const refused = async (delayMs: number) => {
    const liar = await clientOf(coordinator);
    liar.hello("sink", { signature: "A".repeat(86) });
    if (delayMs > 0) {
      await clock.sleeping(delayMs);
      clock.advance(delayMs);
    }
    return (await liar.expect("refused")).code;
  };
  const delaysMs = [0, 0, 0, 0, 0, 1000, 2000, 4000, ...Array.from({ length: 13 }, () => 8000)];
  const codes: string[] = [];
  for (const delayMs of delaysMs) codes.push(await refused(delayMs));
  expect(codes).toEqual([...Array.from({ length: 19 }, () => "proof-refused"), "too-many", "too-many"]);
  const honest = await clientOf(coordinator);
  await honest.enter("sink");
  for (let minute = 0; minute < 15; minute += 1) {
    clock.advance(60_000);
    // What the clock brings about meanwhile: pings, and their answers.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await refused(0)).toBe("proof-refused");
});
