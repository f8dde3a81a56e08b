import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { FanfoldError } from "../../../src/lib/errors.ts";
import { readSecretFile } from "../../../src/lib/folder/secret-file.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const WHAT = "cannot read the secret";

function read(path: string, signal = new AbortController().signal): Promise<string> {
  return readSecretFile(path, { what: WHAT, remedy: "make one", bytesMax: 100, clock: systemClock, signal });
}

test("reads what only its owner may read", async () => {
  const path = join(tempFolder(), "secret");
  writeFileSync(path, "tell nobody\n", { mode: 0o600 });
  expect(await read(path)).toBe("tell nobody\n");
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(path, mode);
    const text = `${WHAT}: others on this machine may read it (mode ${mode.toString(8)}); chmod 600 it`;
    await expect(read(path)).rejects.toMatchObject({ code: "usage", message: text });
  }
});

test("refuses what is none, in words that do not hold it", async () => {
  const folder = tempFolder();
  const path = join(folder, "large");
  writeFileSync(path, "x".repeat(101), { mode: 0o600 });
  mkdirSync(join(folder, "directory"));
  await expect(read(path)).rejects.toThrow(`${WHAT}: it has more than 100 bytes, so it is something else`);
  await expect(read(join(folder, "directory"))).rejects.toThrow(`${WHAT}: it is a directory`);
  await expect(read(join(folder, "none"))).rejects.toThrow(`${WHAT}: no such file or directory; make one`);
});

test("reads a pipe to its end, also one whose writer comes later and writes in pieces", async () => {
  const path = join(tempFolder(), "pipe");
  execFileSync("mkfifo", ["-m", "600", path]);
  const reading = read(path);
  const writer = spawn("sh", ["-c", '{ printf one; sleep 0.2; printf two; } >"$0"', path]);
  onTestFinished(() => void writer.kill());
  expect(await reading).toBe("onetwo");
});

test("waits for the writer of a pipe no longer than it is let", async () => {
  const path = join(tempFolder(), "pipe");
  execFileSync("mkfifo", ["-m", "600", path]);
  const stop = new AbortController();
  const reading = read(path, stop.signal);
  stop.abort(new FanfoldError("interrupted", "enough"));
  await expect(reading).rejects.toMatchObject({ code: "interrupted" });
});
