import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { exportIdentity, importIdentity, showIdentity } from "../../../src/cli/commands/access/identity-command.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { fingerprint } from "../../../src/protocol/names/fingerprint.ts";
import { readIdentityFile, sourceIdentity } from "../../../src/source/identity.ts";
import { formatIdentity, type Identity, publicKeyOf } from "../../../src/source/identity-text.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { memoryIo } from "../terminal/memory-io.ts";

/** Two directories of one user, and what the commands print. */
let base = "";
beforeEach(() => {
  base = tempFolder();
  for (const name of ["one", "two"]) mkdirSync(join(base, name));
});

const at = (name: string): string => join(base, name);
const options = () => ({ stateDir: Buffer.from(at("state")) });
const identityOf = (name: string): Identity => sourceIdentity(at("state"), Buffer.from(at(name)), systemRandom);
const secretOf = (name: string): string => identityOf(name).seed;
const printOf = (name: string): string => fingerprint(publicKeyOf(identityOf(name)));

describe("fanfold identity", () => {
  test("show says that there is none yet and makes none, and later its fingerprint and its place, never the secret", async () => {
    const [before, after] = [memoryIo(), memoryIo()];
    expect(await showIdentity(at("one"), options(), before)).toBe(0);
    expect(before.stdout.text).toContain("none yet: the first copy makes one");
    const secret = secretOf("one");
    expect(await showIdentity(at("one"), options(), after)).toBe(0);
    expect(after.stdout.text).toContain(printOf("one"));
    expect(after.stdout.text).toContain(publicKeyOf(identityOf("one")));
    const [file = ""] = readdirSync(at("state/sources"));
    expect(after.stdout.text).toContain(at(`state/sources/${file}`));
    expect(after.stdout.text).not.toContain(secret);
  });

  test("export and import make another directory the same source, by a file for its owner alone", async () => {
    const io = memoryIo();
    expect(await exportIdentity({ folder: at("one"), file: at("file") }, options(), io)).toBe(0);
    expect(statSync(at("file")).mode & 0o777).toBe(0o600);
    expect(readIdentityFile(at("file"), systemRandom)).toEqual(identityOf("one"));
    expect(await importIdentity({ folder: at("two"), file: at("file") }, options(), io)).toBe(0);
    expect(secretOf("two")).toBe(secretOf("one"));
    expect(io.stdout.text).toContain(`${at("two")} has the identity ${printOf("one")}`);
    expect(io.stdout.text).not.toContain(secretOf("one"));
  });

  test("export to - prints it, for a pipe", async () => {
    const io = memoryIo();
    expect(await exportIdentity({ folder: at("one"), file: "-" }, options(), io)).toBe(0);
    expect(io.stdout.text).toBe(formatIdentity(identityOf("one")));
  });

  test("export replaces no file, and import no other identity without --replace", async () => {
    const io = memoryIo();
    writeFileSync(at("file"), "mine");
    expect(await exportIdentity({ folder: at("one"), file: at("file") }, options(), io)).toBe(2);
    expect([readFileSync(at("file"), "utf8"), io.stderr.text]).toEqual([
      "mine",
      expect.stringContaining("it exists already"),
    ]);
    const [one, two] = [secretOf("one"), secretOf("two")];
    writeFileSync(at("one.identity"), `ed25519 ${one}`, { mode: 0o600 });
    const order = { folder: at("two"), file: at("one.identity") };
    expect(await importIdentity(order, options(), io)).toBe(2);
    expect([secretOf("two"), io.stderr.text]).toEqual([two, expect.stringContaining(`another one, ${printOf("two")}`)]);
    expect(await importIdentity(order, { ...options(), replace: true }, io)).toBe(0);
    expect(secretOf("two")).toBe(one);
    expect(io.stderr.text).not.toContain(one);
  });

  test("a file that others may read, that is none, or holds something else is refused, and its content is not told", async () => {
    const io = memoryIo();
    const order = { folder: at("one"), file: at("file") };
    expect(await importIdentity(order, options(), io)).toBe(2);
    writeFileSync(at("file"), `${"ab".repeat(32)}\n`);
    chmodSync(at("file"), 0o640);
    expect(await importIdentity(order, options(), io)).toBe(2);
    writeFileSync(at("file"), "password");
    chmodSync(at("file"), 0o600);
    expect(await importIdentity(order, options(), io)).toBe(2);
    expect(await importIdentity({ folder: at("one"), file: at("two") }, options(), io)).toBe(2);
    expect(io.stderr.text).toMatch(
      /export" writes one.*\n.*\(mode 640\); chmod 600 it\n.*want what "fanfold identity export" writes/,
    );
    expect(io.stderr.text).not.toMatch(/abab|password/);
  });
});
