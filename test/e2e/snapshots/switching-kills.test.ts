import { expect, test } from "vitest";
import { SwitchLab } from "./switch-lab.ts";

/** More of them: `FANFOLD_SWITCHES=40 npx vitest run test/e2e/snapshots/switching-kills.test.ts` */
const SCHEDULES = Number(process.env["FANFOLD_SWITCHES"] ?? 4);
const FLEET = ["alpha", "beta", "gamma"];
const VICTIMS = [...FLEET, "coordinator", "source"] as const;
/** Of a killed process, and of the kill after the start of the copy, in milliseconds. */
const LATER_MS_MAX = 600;

function chance(max: number): number {
  return Math.floor(Math.random() * max);
}

test.each(Array.from({ length: SCHEDULES }, (_, index) => index + 1))(
  "whoever is killed when, no two sinks switch differently: %i",
  async () => {
    await using fleet = await SwitchLab.open(FLEET);
    expect(await fleet.source("--commit", "all").exit()).toBe(0);
    const before = fleet.digest("alpha");
    fleet.change();
    const source = fleet.source("--commit", "all");
    const victim = VICTIMS[chance(VICTIMS.length)] ?? "alpha";
    await source.event("started");
    await new Promise((resolve) => setTimeout(resolve, chance(LATER_MS_MAX)));
    if (victim === "source") {
      source.signal("SIGKILL");
      await source.exit();
      expect(await fleet.source("--commit", "all").exit()).toBe(0);
    } else if (victim === "coordinator") {
      fleet.coordinator.process.signal("SIGKILL");
      await fleet.coordinator.process.exit();
      await fleet.coordinatorAgain();
    } else {
      fleet.sinks.get(victim)?.signal("SIGKILL");
      await fleet.sinks.get(victim)?.exit();
      await fleet.sink(victim);
    }
    const status = victim === "source" ? 0 : await source.exit();
    await fleet.settled();
    const digests = new Set(FLEET.map((name) => fleet.digest(name)));
    expect(digests.size, `${victim} was killed: ${[...digests].join(", ")}`).toBe(1);
    // Everybody came back, so everybody has the new state.
    expect([status, digests.has(before)], victim).toEqual([0, false]);
  },
  240_000,
);
