import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { sourceSecret } from "../../src/source/identity.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { thrownCode } from "../helpers/thrown.ts";

const secretOf = (state: string, folder: string): string => sourceSecret(state, Buffer.from(folder), systemRandom);

describe("sourceSecret()", () => {
  test("is the same for the same folder and state, and another for anything else", () => {
    const [one, two] = [join(tempFolder(), "state"), tempFolder()];
    const first = secretOf(one, "/a");
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(secretOf(one, "/a")).toBe(first);
    expect(
      new Set([first, secretOf(one, "/b"), secretOf(two, "/a"), sourceSecret(one, Buffer.from([0xff]), systemRandom)])
        .size,
    ).toBe(4);
  });

  test("is kept where nobody else can read it, and nothing else is left there", () => {
    const state = tempFolder();
    secretOf(state, "/a");
    const files = readdirSync(join(state, "sources"));
    expect(files).toHaveLength(1);
    expect(statSync(join(state, "sources", files[0] ?? "")).mode & 0o777).toBe(0o600);
    expect(statSync(join(state, "sources")).mode & 0o777).toBe(0o700);
  });

  test("is one even when two processes make it at the same time", () => {
    const state = tempFolder();
    let inner: string | undefined;
    const interleaved = {
      ...systemRandom,
      hex(bytes: number): string {
        // The other process does all of its work between our look and our write.
        inner ??= secretOf(state, "/a");
        return systemRandom.hex(bytes);
      },
    };
    const outer = sourceSecret(state, Buffer.from("/a"), interleaved);
    expect([outer, secretOf(state, "/a")]).toEqual([inner, inner]);
    expect(readdirSync(join(state, "sources"))).toHaveLength(1);
  });

  test("is made anew when its file is damaged", () => {
    const state = tempFolder();
    const before = secretOf(state, "/a");
    const file = join(state, "sources", readdirSync(join(state, "sources"))[0] ?? "");
    for (const content of ["", "half", `${"0".repeat(63)}g`]) {
      writeFileSync(file, content);
      const secret = secretOf(state, "/a");
      expect(secret).toMatch(/^[0-9a-f]{64}$/);
      expect(secret).not.toBe(before);
      expect(readFileSync(file, "utf8").trim()).toBe(secret);
    }
  });

  test("says that it cannot be kept, and names the option", () => {
    const state = join(tempFolder(), "file");
    writeFileSync(state, "");
    expect(thrownCode(() => secretOf(state, "/a"))).toBe("folder-denied");
    expect(() => secretOf(state, "/a")).toThrow(/--state-dir/);
    mkdirSync(`${state}-2`);
    chmodSync(`${state}-2`, 0o700);
    expect(thrownCode(() => secretOf(`${state}-2`, "/a"))).toBe("nothing");
  });
});
