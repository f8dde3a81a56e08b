import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import type { AgeKey } from "../../../src/lib/crypto/age.ts";
import { AGE_KEYS_MAX } from "../../../src/protocol/seal/wrapped-secret.ts";
import { readAgeKeys } from "../../../src/sink/own/age-keys.ts";
import { ageKeys } from "../../helpers/copies/age-keys.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { secretsOf } from "../../helpers/error-text.ts";

function fileWith(text: string, mode = 0o600): string {
  const file = join(tempFolder(), "sink.key");
  writeFileSync(file, text, { mode });
  return file;
}

function read(file: string): Promise<readonly AgeKey[]> {
  return readAgeKeys(file, { clock: systemClock, signal: new AbortController().signal });
}

describe("a file of age keys", () => {
  test("has comments, empty lines, CRLF, and several keys", async () => {
    const keys = await ageKeys(AGE_KEYS_MAX);
    const lines = keys.map(({ secretKey, recipient }) => `# public key: ${recipient}\r\n${secretKey}\r\n\r\n`);
    expect(await read(fileWith(`\uFEFF# created: today\n${lines.join("")}`))).toEqual(keys);
  });

  test("has at most four", async () => {
    const text = (await ageKeys(AGE_KEYS_MAX + 1)).map(({ secretKey }) => `${secretKey}\n`).join("");
    await expect(read(fileWith(text))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("found 5 lines"),
    });
  });

  test("may come through a pipe", async () => {
    const [key] = await ageKeys(1);
    const pipe = join(tempFolder(), "pipe");
    execFileSync("mkfifo", [pipe]);
    const reading = read(pipe);
    execFileSync("sh", ["-c", 'printf "%s\\n" "$1" > "$2"', "sh", key.secretKey, pipe]);
    expect(await reading).toEqual([key]);
  });

  test("is one that nobody else may read", async () => {
    const [{ secretKey }] = await ageKeys(1);
    for (const mode of [0o644, 0o640, 0o604])
      await expect(read(fileWith(secretKey, mode))).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining("chmod 600"),
      });
  });

  test("has nothing else, and no error tells a secret key back", async () => {
    const [{ secretKey, recipient }] = await ageKeys(1);
    const [upper, lower] = [secretKey, secretKey.toLowerCase()];
    const wrong = `${upper.slice(0, -1)}${upper.endsWith("Q") ? "P" : "Q"}`;
    const texts = [lower, wrong, upper.slice(0, -1), `key = ${upper}`, `${upper} attic`, `${upper}\n${lower}`];
    const parts = [upper, lower].map((key) => key.slice(20, 40));
    // Who types the key itself is not told it back, either.
    for (const given of [...texts.map((text) => fileWith(text)), upper, lower]) {
      const reading = read(given);
      await expect(reading).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("--age-key") });
      expect(await secretsOf(reading, parts), given.slice(0, 12)).toEqual([]);
    }
    await expect(read(fileWith(recipient))).rejects.toThrow(/found a public key, want .*AGE-SECRET-KEY-1.*keygen/);
  });

  test("is no directory, no endless device, no huge file, and not empty", async () => {
    const folder = join(tempFolder(), "folder");
    mkdirSync(folder);
    for (const file of [
      folder,
      "/dev/zero",
      "/dev/null",
      "/no/such/file",
      fileWith("# none\n"),
      fileWith("x".repeat(300_000)),
    ])
      await expect(read(file)).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining(`--age-key "${file}"`),
      });
  });

  test("with a passphrase around it is refused, with what to do", async () => {
    // As `age -p` writes it, armored and not.
    const armored =
      "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdA==\n-----END AGE ENCRYPTED FILE-----\n";
    for (const text of [armored, "age-encryption.org/v1\n-> scrypt AAAA 18\nAAAA\n--- AAAA\n"])
      await expect(read(fileWith(text))).rejects.toThrow(/no passphrase around them/);
  });
});
