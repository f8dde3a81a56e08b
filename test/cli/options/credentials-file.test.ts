import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readCredentialsFile } from "../../../src/cli/options/credentials-file.ts";

describe("readCredentialsFile()", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fanfold-credentials-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function file(text: string, mode = 0o600): Promise<string> {
    const path = join(folder, "credentials");
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  }

  test.each(["user:pass word", "user:pass word\n", "user:pass word\r\n", "\uFEFFuser:pass word\n"])(
    "reads the one line of %j",
    async (text) => {
      expect(await readCredentialsFile(await file(text), "--broker-credentials")).toEqual({
        credentials: "user:pass word",
      });
    },
  );

  test("warns when others may read the file", async () => {
    const { warning } = await readCredentialsFile(await file("token", 0o644), "--broker-credentials");
    expect(warning).toContain("mode 644");
    expect(warning).not.toContain("token");
  });

  test.each(["", "\n", "uno\ndos\n", "a\0b"])("refuses %j without showing what is in it", async (text) => {
    const reading = readCredentialsFile(await file(text), "--broker-credentials");
    await expect(reading).rejects.toMatchObject({ code: "usage", message: expect.not.stringMatching(/uno|dos/) });
  });

  test("refuses a folder and a file that is not there", async () => {
    await expect(readCredentialsFile(folder, "--broker-credentials")).rejects.toMatchObject({ code: "usage" });
    await expect(readCredentialsFile(join(folder, "none"), "--broker-credentials")).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("no such file"),
    });
  });
});
