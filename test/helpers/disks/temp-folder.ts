import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new folder, which goes when the test that asked for it has finished. */
export function tempFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, "fanfold-test-"));
  chmodSync(folder, 0o755);
  onTestFinished(() => removeTree(folder));
  return folder;
}

/** The same in memory where the system has such a place: for very many files. Names are listed there newest first. */
export function memoryFolder(): string {
  return tempFolder(existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
}

/** Removes a tree, also one whose directories forbid it. */
export function removeTree(folder: string): void {
  makeRemovable(Buffer.from(folder));
  rmSync(folder, { recursive: true, force: true });
}

function makeRemovable(folder: Buffer): void {
  // The superuser needs no permission.
  if (process.getuid?.() === 0 || lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(folder, 0o700);
  for (const name of readdirSync(folder, { encoding: "buffer" })) {
    makeRemovable(Buffer.concat([folder, Buffer.from("/"), name]));
  }
}
