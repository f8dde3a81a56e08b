/** A thread for the tests of threads: takes its time to load, then says so in the memory that it was given. */
import { parentPort, workerData } from "node:worker_threads";
import { LOADED } from "../../../src/lib/threads/thread.ts";

const flag = workerData as Int32Array<SharedArrayBuffer>;
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
Atomics.store(flag, 0, 1);
parentPort?.postMessage(LOADED);
