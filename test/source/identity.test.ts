import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { findIdentity, readIdentityFile, sourceIdentity } from "../../src/source/identity.ts";
import { type Identity, publicKeyOf } from "../../src/source/identity-text.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { thrownCode } from "../helpers/thrown.ts";

const identityIn = (state: string, folder: string): Identity =>
  sourceIdentity(state, Buffer.from(folder), systemRandom);
const secretOf = (state: string, folder: string): string => identityIn(state, folder).seed;

describe("sourceIdentity()", () => {
  test("is the same for the same folder and state, and another for anything else", () => {
    const [one, two] = [join(tempFolder(), "state"), tempFolder()];
    const first = secretOf(one, "/a");
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(secretOf(one, "/a")).toBe(first);
    expect(
      new Set([
        first,
        secretOf(one, "/b"),
        secretOf(two, "/a"),
        sourceIdentity(one, Buffer.from([0xff]), systemRandom).seed,
      ]).size,
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
    const outer = sourceIdentity(state, Buffer.from("/a"), interleaved).seed;
    expect([outer, secretOf(state, "/a")]).toEqual([inner, inner]);
    expect(readdirSync(join(state, "sources"))).toHaveLength(1);
  });

  test("is made anew when its file is damaged", () => {
    const state = tempFolder();
    const before = secretOf(state, "/a");
    const file = join(state, "sources", readdirSync(join(state, "sources"))[0] ?? "");
    for (const content of ["", "half", `${"0".repeat(63)}g`, `ed25519 ${"0".repeat(63)}`]) {
      writeFileSync(file, content);
      const secret = secretOf(state, "/a");
      expect(secret).toMatch(/^[0-9a-f]{64}$/);
      expect(secret).not.toBe(before);
      expect(readFileSync(file, "utf8").trim()).toBe(`ed25519 ${secret}`);
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

describe("an identity of version 0.1", () => {
  const FORMER = "ab".repeat(32);

  function formerState(): { readonly state: string; readonly file: string } {
    const state = tempFolder();
    identityIn(state, "/a");
    const file = join(state, "sources", readdirSync(join(state, "sources"))[0] ?? "");
    writeFileSync(file, `${FORMER}\n`);
    return { state, file };
  }

  test("gets a key that does not follow from its secret, keeps that beside it, and stays as it is from then on", () => {
    const [one, two] = [formerState(), formerState()];
    const taken = identityIn(one.state, "/a");
    expect(taken).toEqual({ seed: expect.stringMatching(/^[0-9a-f]{64}$/), former: FORMER });
    expect(identityIn(one.state, "/a")).toEqual(taken);
    expect(readFileSync(one.file, "utf8")).toBe(`ed25519 ${taken.seed}\nformerly ${FORMER}\n`);
    expect(publicKeyOf(identityIn(two.state, "/a"))).not.toBe(publicKeyOf(taken));
    expect([statSync(one.file).mode & 0o777, readdirSync(join(one.state, "sources"))]).toEqual([
      0o600,
      [basename(one.file)],
    ]);
  });

  test("is taken over once, also by two processes at the same time", () => {
    const { state, file } = formerState();
    let inner: Identity | undefined;
    const interleaved = {
      ...systemRandom,
      hex(bytes: number): string {
        inner ??= identityIn(state, "/a");
        return systemRandom.hex(bytes);
      },
    };
    const outer = findIdentity(state, Buffer.from("/a"), interleaved);
    expect([outer, identityIn(state, "/a")]).toEqual([inner, inner]);
    expect(readdirSync(join(state, "sources"))).toEqual([basename(file)]);
  });

  test("in a file that a person names is written anew there, for all who use the file", () => {
    const file = join(tempFolder(), "photos.identity");
    writeFileSync(file, FORMER, { mode: 0o600 });
    const taken = readIdentityFile(file, systemRandom);
    expect(taken).toMatchObject({ former: FORMER });
    expect(readIdentityFile(file, systemRandom)).toEqual(taken);
  });
});
