import { defineConfig } from "vitest/config";

/** Tests that start whole processes mostly wait for them: more at once than a small machine has cores. */
const WORKERS = 3;
/** Of one file, where its tests may run together: each has up to six processes. */
const CONCURRENT_TESTS = 3;
const TIMEOUT_MS = 30_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: WORKERS,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    maxConcurrency: CONCURRENT_TESTS,
  },
});
