import { afterEach, beforeAll } from "vitest";
import { forgetWaits, openWaits } from "../open-waits.ts";
import { shownOfRunning } from "./cli-process.ts";

beforeAll(forgetWaits);

/** A test that ran out of time says nothing of what it waited for, nor of its processes: both are still there, and are told. */
afterEach(({ task }) => {
  if (task.result?.state !== "fail") return;
  const shown = [...openWaits().map((what) => `It waits for ${what}`), ...shownOfRunning()];
  if (shown.length > 0) throw new Error(`Still there when "${task.name}" failed:\n${shown.join("\n")}`);
});
