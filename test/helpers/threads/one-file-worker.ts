import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { Worker as SystemWorker, type WorkerOptions } from "node:worker_threads";
import { inject } from "vitest";

/** A thread of the sources that runs from the one file that was made of them; any other as it is. */
export class Worker extends SystemWorker {
  constructor(url: URL, options: WorkerOptions) {
    const made = join(inject("threadFolder"), basename(url.pathname).replace(/ts$/, "cjs"));
    super(existsSync(made) ? made : url, options);
  }
}
