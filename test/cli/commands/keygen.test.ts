import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ageKeyOf } from "../../../src/lib/crypto/age.ts";
import { ageKeys } from "../../helpers/copies/age-keys.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { ConfigLab } from "../configuration/config-lab.ts";

/** What `age-keygen` prints, too. */
const KEY_FILE = /^# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n# public key: (age1\S{58})\n(AGE-SECRET-KEY-1\S{58})\n$/;

describe("fanfold keygen", () => {
  test("writes a new file that only its owner can read, and prints the public key alone", async () => {
    using lab = new ConfigLab();
    const file = lab.path("attic.key");
    const { status, out, err } = await lab.run(["keygen", "-o", file]);
    const [, recipient = "", secretKey = ""] = KEY_FILE.exec(readFileSync(file, "utf8")) ?? [];
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await ageKeyOf(secretKey)).toEqual({ secretKey, recipient });
    expect([status, out, err]).toEqual([0, "", `Public key: ${recipient}\n`]);
    expect(await lab.run(["keygen", "-y", file])).toEqual({ status: 0, out: `${recipient}\n`, err: "" });
  });

  test("prints the key for a pipe, another one each time", async () => {
    using lab = new ConfigLab();
    const secrets = new Set<string>();
    for (const _ of [1, 2]) {
      const { status, out, err } = await lab.run(["keygen"]);
      const [, recipient = "", secretKey = ""] = KEY_FILE.exec(out) ?? [];
      expect([status, err]).toEqual([0, `Public key: ${recipient}\n`]);
      secrets.add(secretKey);
    }
    expect(secrets.size).toBe(2);
  });

  test("never writes over what is there, and makes nothing in a folder that is missing", async () => {
    using lab = new ConfigLab();
    writeFileSync(lab.path("mine"), "mine");
    for (const [name, reason] of [
      ["mine", "it exists already; name a new file"],
      ["", "it exists already; name a new file"],
      ["no/such", "no such file or directory"],
    ] as const) {
      const { status, out, err } = await lab.run(["keygen", "-o", lab.path(name)]);
      expect([status, out]).toEqual([2, ""]);
      expect(err).toContain(reason);
    }
    expect(readFileSync(lab.path("mine"), "utf8")).toBe("mine");
  });

  test("-y prints the public parts of all keys of a file, and does nothing else beside it", async () => {
    using lab = new ConfigLab();
    const keys = await ageKeys(2);
    const file = join(tempFolder(), "two.key");
    writeFileSync(file, keys.map(({ secretKey }) => `${secretKey}\n`).join(""), { mode: 0o600 });
    const recipients = keys.map(({ recipient }) => `${recipient}\n`).join("");
    expect(await lab.run(["keygen", "-y", file])).toEqual({ status: 0, out: recipients, err: "" });
    expect(await lab.run(["keygen", "-y", file, "-o", lab.path("new")])).toMatchObject({ status: 2, out: "" });
    expect(await lab.run(["keygen", "-y", "/dev/null"])).toMatchObject({ status: 2, out: "" });
  });
});

describe("age keys in settings", () => {
  test("are lists of keys and files in the environment and in a configuration file", async () => {
    using lab = new ConfigLab();
    const [one, two] = (await ageKeys(2)).map(({ recipient }) => recipient);
    const env = { FANFOLD_RECIPIENT: `${one}\nsinks.txt` };
    expect((await lab.show(["source"], env)).get("--recipient")).toMatchObject({ value: [one, "sinks.txt"] });
    lab.writeUser(
      `[source]\nrecipient = ["${one}", "sinks.txt", "~/all.txt", "${two}"]\n[sink]\nage-key = "attic.key"`,
    );
    const folder = lab.user.slice(0, lab.user.lastIndexOf("/"));
    const { value } = (await lab.show(["source"])).get("--recipient") ?? {};
    expect(value).toEqual([one, `${folder}/sinks.txt`, expect.stringMatching(/^\/.*\/all\.txt$/), two]);
    expect((await lab.show(["sink"])).get("--age-key")).toMatchObject({ value: `${folder}/attic.key` });
    const named = { FANFOLD_AGE_KEY: "other.key" };
    expect((await lab.show(["sink"], named)).get("--age-key")).toMatchObject({ value: "other.key" });
  });

  test("are no secret keys themselves, which nothing tells back", async () => {
    using lab = new ConfigLab();
    const [{ secretKey }] = await ageKeys(1);
    const part = secretKey.slice(20, 40);
    const [sink, source] = [
      ["sink", lab.path("copy")],
      ["source", lab.folder],
    ];
    for (const { args, env, word } of [
      { args: sink, env: { FANFOLD_AGE_KEY: secretKey }, word: "--age-key" },
      { args: source, env: { FANFOLD_RECIPIENT: secretKey }, word: "--recipient" },
      { args: [...sink, "--age-key", secretKey], env: {}, word: "--age-key" },
      { args: [...source, "--recipient", secretKey], env: {}, word: "--recipient" },
    ]) {
      const { status, out, err } = await lab.run(args, env);
      expect([status, out]).toEqual([2, ""]);
      expect(err).toContain(word);
      expect(err).toContain("found a secret key");
      expect(err).not.toContain(part);
    }
    lab.writeUser(`[sink]\nage-key = "${secretKey}"`);
    const { status, err } = await lab.run(sink);
    expect(status).toBe(35);
    expect(err).toContain("name that with age-key");
    expect(err).not.toContain(part);
    for (const env of [{ FANFOLD_AGE_KEY: secretKey }]) {
      lab.writeUser("");
      const { out } = await lab.run(["config", "show", "sink"], env);
      expect(out).toContain("FANFOLD_AGE_KEY");
      expect(out).not.toContain(part);
    }
  });
});
