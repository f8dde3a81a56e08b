import { expect, test } from "vitest";
import { verifyFleet } from "../../../src/cli/commands/copying/verify-fleet.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import { fleetVerifyView } from "../../../src/cli/view/verify/fleet-verify-view.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import type { Verification } from "../../../src/protocol/api/verification-schemas.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const AT = "2026-12-01T03:00:00.000Z";
const DAMAGED: Verification = {
  ...{ id: "a".repeat(12), session: "photos", trees: "newest", startedAt: AT, isOver: true },
  sinks: [
    {
      ...{ name: "attic", key: "51".repeat(32), state: "done" },
      report: {
        ...{ by: "order", result: "differs", trees: 1, files: 10, bytes: 100, differing: 1, missing: 0, wanted: 1 },
        ...{ problems: [], startedAt: AT, endedAt: AT },
      },
    },
  ],
};

/** Follows a fleet in which something is damaged, and has it mended by this. */
function repaired(run: () => Promise<{ readonly sources: number }>, signal = new AbortController().signal) {
  const desk = { verify: async () => DAMAGED, verification: async () => DAMAGED, run };
  const order = { session: "photos", trees: "newest" } as const;
  return verifyFleet({ desk, repairs: true, order, clock: handClock(), signal });
}

test("verify --fleet --repair says whether a source begins", async () => {
  expect(await repaired(async () => ({ sources: 1 })).result).toMatchObject({ result: "differs", repair: "begun" });
  expect(await repaired(async () => ({ sources: 0 })).result).toMatchObject({ result: "differs", repair: "no-source" });
});

test("verify --fleet --repair that cannot order the run says what was found all the same, and why it failed", async () => {
  const run = repaired(async () => {
    throw new FanfoldError("coordinator-unreachable", "no answer from 127.0.0.1:9");
  });
  const events = run.events();
  const end = await run.result;
  expect(end).toMatchObject({
    ...{ type: "finished", result: "differs", repair: "failed", sinks: [{ name: "attic" }] },
    repairFailure: { code: "coordinator-unreachable", message: "no answer from 127.0.0.1:9" },
  });
  const types: string[] = [];
  for await (const { type } of events) types.push(type);
  expect(types).toEqual(["asked", "answered", "finished"]);
  const [said] = fleetVerifyView.messages(end, fleetVerifyView.initial, PLAIN_STYLE);
  expect(said).toMatchObject({ level: "warning", text: expect.stringContaining("no answer from 127.0.0.1:9") });
});

test("verify --fleet --repair that is ended while it orders the run fails by that", async () => {
  const stop = new AbortController();
  const run = repaired(async () => {
    stop.abort(new FanfoldError("interrupted", "Ctrl-C"));
    throw new FanfoldError("coordinator-unreachable", "no answer");
  }, stop.signal);
  await expect(run.result).rejects.toMatchObject({ code: "interrupted" });
});
