import { defineConfig } from "vitest/config";

/** Tests that start whole processes take their turn on a small machine; the rest is quick anyway. */
const WORKERS = 2;
const TIMEOUT_MS = 30_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: WORKERS,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
  },
});
