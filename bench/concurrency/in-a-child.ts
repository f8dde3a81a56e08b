import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BatchWriter } from "./batch.ts";

/** Synchronous calls in a child process: batches go through a pipe, with their numbers and lengths before them. */
export async function inAChild(folder: string): Promise<BatchWriter> {
  const program = fileURLToPath(new URL("./child-program.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ["pipe", "pipe", "inherit"] });
  const stored: (() => void)[] = [];
  await once(child.stdout, "data");
  child.stdout.on("data", (marks: Buffer) => {
    for (let count = marks.length; count > 0; count -= 1) stored.shift()?.();
  });
  return {
    pid: child.pid,
    write: ({ firstFile, bytes }) =>
      new Promise((resolve) => {
        stored.push(resolve);
        const head = Buffer.alloc(8);
        head.writeUInt32LE(firstFile, 0);
        head.writeUInt32LE(bytes.length, 4);
        child.stdin.cork();
        child.stdin.write(head);
        child.stdin.write(bytes);
        child.stdin.uncork();
      }),
    close: async () => {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}
