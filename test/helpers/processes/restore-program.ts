/**
 * Restores the newest snapshot of the folder of the first argument into that of the second one, and is killed by the system once
 * the one file that is not whole there has as many bytes as the third one says.
 */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { restoreSnapshot } from "../../../src/sink/restore/restore.ts";
import { openSnapshots } from "../../../src/sink/snapshots/open-snapshots.ts";

const [from = "", to = "", bytes = ""] = process.argv.slice(2);
const partials = join(to, ".fanfold/partial");

function storedBytes(): number {
  const names = statSync(partials, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(partials);
  return Math.max(0, ...names.map((name) => statSync(join(partials, name)).size));
}

/** Asked for behind each step of the work. */
function nowMs(): number {
  if (storedBytes() >= Number(bytes)) process.kill(process.pid, "SIGKILL");
  return systemClock.nowMs();
}

using folder = openSnapshots(from, "cannot restore");
await restoreSnapshot({
  folder,
  snapshot: folder.snapshots.at(-1)?.name ?? "",
  paths: [],
  to,
  overwrite: false,
  clock: { ...systemClock, nowMs },
  random: systemRandom,
  signal: new AbortController().signal,
  onProblem: (problem) => process.stderr.write(`${problem.path}: ${problem.message}\n`),
});
