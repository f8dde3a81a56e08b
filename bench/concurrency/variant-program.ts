/** Runs one variant in a process of its own, so that none profits from what another has warmed up. */
import { randomFillSync } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { Meter } from "../measure.ts";
import { type Batch, FILE_BYTES, FILES_PER_BATCH, MODE, makeFolders, OpenFolder, TIME_SECONDS } from "./batch.ts";
import { LoopWatch } from "./loop-watch.ts";
import { VARIANTS } from "./variants.ts";

/** What one run of a variant printed, as JSON. */
export interface VariantFigures {
  readonly openMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly heldMaxMs: number;
  readonly heldP99Ms: number;
}

/** Batches that may wait at the writer: 4 MiB, where a session's window starts. */
const WAITING_MAX = 4;

const [name = "", folder = "", count = "0"] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await run(name, folder, Number(count))));

async function run(variantName: string, to: string, files: number): Promise<VariantFigures> {
  const variant = VARIANTS[variantName];
  if (variant === undefined) throw new Error(`There is no variant "${variantName}"`);
  makeFolders(to, files);
  const noise = randomFillSync(new Uint8Array(FILES_PER_BATCH * FILE_BYTES));
  const beforeMs = performance.now();
  const writer = await variant.open(to);
  const openMs = performance.now() - beforeMs;

  using meter = new Meter();
  meter.watch("child", writer.pid);
  const watch = new LoopWatch();
  meter.start();
  const cpuBefore = process.cpuUsage();
  const waiting = new Set<Promise<void>>();
  for (let firstFile = 0; firstFile < files; firstFile += FILES_PER_BATCH) {
    const bytes = noise.slice(0, Math.min(FILES_PER_BATCH, files - firstFile) * FILE_BYTES);
    const written = writer.write({ firstFile, bytes } satisfies Batch).then(() => void waiting.delete(written));
    waiting.add(written);
    if (waiting.size >= WAITING_MAX) await Promise.race(waiting);
    // Batches come from sockets: the loop turns once for each.
    await turn();
  }
  await Promise.all(waiting);
  const { user, system } = process.cpuUsage(cpuBefore);
  watch[Symbol.dispose]();
  const { wallMs, cpuMs: childMs } = await meter.stop();
  await writer.close();
  checkStored(to, files, noise);
  const cpuMs = (user + system) / 1000 + childMs;
  return { openMs, wallMs, cpuMs, heldMaxMs: watch.maxMs, heldP99Ms: watch.p99Ms };
}

/** A variant that stores something else is no figure. */
function checkStored(folder: string, files: number, noise: Uint8Array): void {
  using stored = new OpenFolder(folder);
  for (let file = 0; file < files; file += 1) {
    const offset = (file % FILES_PER_BATCH) * FILE_BYTES;
    const { mode, mtimeMs } = statSync(stored.final(file));
    const same = readFileSync(stored.final(file)).equals(noise.subarray(offset, offset + FILE_BYTES));
    if (!same || (mode & 0o777) !== MODE || mtimeMs !== TIME_SECONDS * 1000)
      throw new Error(`File ${file} is not stored as it should be`);
  }
}
