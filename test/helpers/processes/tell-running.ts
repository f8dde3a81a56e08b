import { afterEach } from "vitest";
import { shownOfRunning } from "./cli-process.ts";

/** A test that ran out of time says nothing of its processes: they are still there then, and its report tells of them. */
afterEach(({ task }) => {
  if (task.result?.state !== "fail") return;
  const shown = shownOfRunning();
  if (shown.length > 0) throw new Error(`Still there when "${task.name}" failed:\n${shown.join("\n")}`);
});
