import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundleThreads } from "../../../scripts/bundle-threads.ts";

/** Where native code and the packages that a thread loads are found. */
const PLACE = join(import.meta.dirname, "../../../node_modules/.cache/fanfold");

declare module "vitest" {
  interface ProvidedContext {
    /** Of the threads of this run, each one file with all its modules. */
    readonly threadFolder: string;
  }
}

/**
 * Before all tests of a run: a thread of the sources as they are takes half a second of a processor to load its many modules;
 * from one file, as people get it, less than half of that.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await mkdir(PLACE, { recursive: true });
  const folder = await mkdtemp(join(PLACE, "threads-"));
  await bundleThreads(folder);
  project.provide("threadFolder", folder);
  return () => rm(folder, { recursive: true });
}
