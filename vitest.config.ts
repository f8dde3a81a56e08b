import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { defineConfig, type Plugin } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Thousands of short programs load the same code: what V8 made of it is kept between them. */
// biome-ignore lint/style/noProcessEnv: what tests start takes it from here
process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "fanfold-test-code");

/** Tests that start whole processes mostly wait for them: more at once than a small machine has cores. */
const WORKERS = 4;
/** Of one file, where its tests may run together: each has up to six processes. */
const CONCURRENT_TESTS = 3;
/** A busy machine takes its time, and may stand still for ten seconds; a test that works never waits for it. */
const TIMEOUT_MS = 120_000;
/** Less, so that it is said what was waited for. */
const POLL_MS = 100_000;
/** More than a broker that starts is given (test/helpers/brokers). */
const HOOK_TIMEOUT_MS = 180_000;

/**
 * Rooms whose files have a process of their own each: what they test needs much of it, or has state that all share who import it.
 * To start a process and to load the sources there takes half a second of a processor. So the other files take turns in processes
 * that stay.
 */
const ALONE = "browser|chaos|faults|fuzz|race|web";

/** Rooms in the order in which they are begun: long files first, so that no process is left alone with one at the end. */
const LONG_FILES = ["browser", "chaos", "faults", "race", "fuzz", "e2e", "contract", "hostile", "attack", "property"];

/** Rooms whose tests mostly wait for a broker. Among the long files they take no time; at the end nobody works beside them. */
const WAITING_FILES = /^(transport\/(amqp|nats)|coordinator\/broker)\//;
/** One of them comes before so many long ones: two at once leave a processor idle. */
const LONG_BESIDE = 3;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const pathOf = ({ moduleId }: TestSpecification) => relative(join(import.meta.dirname, "test"), moduleId);
    const rank = (file: TestSpecification): number => {
      const place = LONG_FILES.indexOf(pathOf(file).split(sep)[0] ?? "");
      return place < 0 ? LONG_FILES.length : place;
    };
    const sorted = (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
    const waiting = sorted.filter((file) => WAITING_FILES.test(pathOf(file)));
    const others = sorted.filter((file) => !WAITING_FILES.test(pathOf(file)));
    const mixed = others.flatMap((file, at) => (at % LONG_BESIDE === 0 ? [...waiting.splice(0, 1), file] : [file]));
    return [...mixed, ...waiting];
  }
}

/** Where the sources open a thread, the one file that was made of it is taken (test/helpers/threads/thread-files.ts). */
const ONE_FILE_THREADS: Plugin = {
  name: "one-file-threads",
  enforce: "pre",
  transform: {
    filter: { id: /\/src\/lib\/threads\/thread\.ts$/ },
    handler(code) {
      const worker = join(import.meta.dirname, "test/helpers/threads/one-file-worker.ts");
      const made = code.replace(
        'import { type Transferable, Worker } from "node:worker_threads";',
        `import type { Transferable } from "node:worker_threads"; import { Worker } from ${JSON.stringify(worker)};`,
      );
      if (made === code) throw new Error("want the line that imports Worker");
      return made;
    },
  },
};

export default defineConfig({
  plugins: [ONE_FILE_THREADS],
  test: {
    globalSetup: ["test/helpers/threads/thread-files.ts", "test/helpers/brokers/shared-rabbit-server.ts"],
    setupFiles: ["test/helpers/processes/tell-running.ts"],
    pool: "forks",
    maxWorkers: WORKERS,
    testTimeout: TIMEOUT_MS,
    hookTimeout: HOOK_TIMEOUT_MS,
    expect: { poll: { timeout: POLL_MS } },
    maxConcurrency: CONCURRENT_TESTS,
    sequence: { sequencer: LongFirst },
    projects: [
      { extends: true, test: { name: "alone", include: [`test/@(${ALONE})/**/*.test.ts`] } },
      { extends: true, test: { name: "together", isolate: false, include: [`test/!(${ALONE})/**/*.test.ts`] } },
    ],
  },
});
