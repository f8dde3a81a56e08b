import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ReadMessage } from "../../src/source/read/read-worker.ts";
import { TreeThreads } from "../../src/source/tree-threads.ts";
import { SESSION } from "../helpers/copies/source-frames.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { walkTree } from "../helpers/trees/walk-tree.ts";

function isOpen(file: string): boolean {
  return readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === file;
    } catch {
      return false;
    }
  });
}

test.skipIf(process.platform !== "linux")(
  "a reader that is stopped in mid-file leaves no descriptor behind",
  async () => {
    const root = tempFolder();
    const file = join(root, "large");
    writeFileSync(file, Buffer.alloc(4 * 1024 * 1024, "x"));
    const [page] = [...walkTree(Buffer.from(root))].flatMap((output) => (output.type === "page" ? [output.body] : []));
    const first = Promise.withResolvers<ReadMessage>();
    const data = { ...SESSION, root: Buffer.from(root), stream: 0, frameBytes: 256 * 1024, fileOutputs: false };
    await using threads = new TreeThreads();
    const reader = threads.openReader(data, { onMessage: first.resolve, onFailure: first.reject });
    reader.post({
      type: "page",
      body: page ?? new Uint8Array(0),
      traits: new Uint8Array(0),
      wants: undefined,
      skips: [],
      deltas: [],
    });
    reader.post({ type: "credit", bytes: 1, buffers: [], isHeldByLink: true, recipesPay: undefined });
    expect((await first.promise).type).toBe("frame");
    expect(isOpen(file)).toBe(true);
    await Promise.all([reader.stop(), reader.stop()]);
    expect([isOpen(file), isOpen(root)]).toEqual([false, false]);
  },
);
