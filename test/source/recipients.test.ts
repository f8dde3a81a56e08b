import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { RECIPIENTS_MAX } from "../../src/protocol/seal/wrapped-secret.ts";
import { readRecipients, recipientRefusal } from "../../src/source/recipients.ts";
import { ageKeys } from "../helpers/copies/age-keys.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { secretsOf } from "../helpers/error-text.ts";

function fileWith(text: string): string {
  const file = join(tempFolder(), "keys.txt");
  writeFileSync(file, text);
  return file;
}

describe("recipients", () => {
  test("are keys and the lines of files, with comments, empty lines and CRLF, each once", async () => {
    const [one, two, three] = (await ageKeys(3)).map(({ recipient }) => recipient);
    const file = fileWith(`\uFEFF# the racks\r\n${two}\r\n\r\n  ${one}  \r\n# last\n${three}`);
    expect(await readRecipients([one ?? "", file], "auto")).toEqual([one, two, three]);
    expect(await readRecipients([], "off")).toEqual([]);
  });

  test("are at most 256", async () => {
    const keys = (await ageKeys(RECIPIENTS_MAX + 1)).map(({ recipient }) => recipient);
    expect(await readRecipients([fileWith(keys.slice(1).join("\n"))], undefined)).toHaveLength(RECIPIENTS_MAX);
    await expect(readRecipients([fileWith(keys.join("\n"))], undefined)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("found 257 keys"),
    });
  });

  test("cannot be told of a session that is not sealed", async () => {
    const [{ recipient }] = await ageKeys(1);
    await expect(readRecipients([recipient], "off")).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("--seal off"),
    });
  });

  test("are no secret keys, which no error tells back", async () => {
    const [{ secretKey, recipient }] = await ageKeys(1);
    const [upper, lower] = [secretKey, secretKey.toLowerCase()];
    const texts = [upper, lower, `key = ${upper}`, `key=${lower}`, `${recipient}\n${upper}`];
    const given = [upper, lower, ...texts.map(fileWith), `age1${upper}`, `age1${lower}`];
    // What any part of it would show.
    const parts = [upper, lower].map((key) => key.slice(20, 40));
    for (const each of given) {
      const reading = readRecipients([each], "on");
      await expect(reading).rejects.toMatchObject({ code: "usage" });
      expect(await secretsOf(reading, parts), each.slice(0, 12)).toEqual([]);
    }
  });

  test.each([
    ["a key with a wrong check character", (key: string) => `${key.slice(0, -1)}${key.endsWith("q") ? "p" : "q"}`],
    ["a key that is cut", (key: string) => key.slice(0, -1)],
    ["a key of another kind", (key: string) => `age1pq1${key.slice(7)}`],
    ["an SSH key", () => "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
    ["something binary", () => "\u001B[31m\u0000\u0007"],
    ["nothing", () => "# all of them are gone\n"],
  ])("are no other lines of a file: %s", async (_, text) => {
    const [{ recipient }] = await ageKeys(1);
    await expect(readRecipients([fileWith(text(recipient))], "auto")).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(/--recipient.*age1/),
    });
  });

  test.each(["/dev/null", "/dev/zero", "/", "/no/such/file"])(
    "are in no directory, device or missing file: %s",
    async (file) => {
      await expect(readRecipients([file], "auto")).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining(`--recipient "${file}"`),
      });
    },
  );

  test("are in no huge file", async () => {
    const file = fileWith(`# ${"x".repeat(256 * 1024)}\n`);
    await expect(readRecipients([file], "auto")).rejects.toMatchObject({ code: "usage" });
  });
});

describe("a sink", () => {
  test("takes part when one of its keys is a recipient, or nobody has a key", () => {
    const member = { id: "k1", name: "attic" };
    expect(recipientRefusal([], member)).toBeUndefined();
    expect(recipientRefusal([], { ...member, recipients: [] })).toBeUndefined();
    expect(recipientRefusal(["age1a", "age1b"], { ...member, recipients: ["age1x", "age1b"] })).toBeUndefined();
  });

  test.each([
    [["age1a"], [], ['"attic" is no recipient', "has no age key", "1 other key;", "--age-key", "--recipient"]],
    [
      ["age1a", "age1b"],
      ["age1x", "age1y"],
      ['"attic"', "age1x, age1y", "2 other keys;", "--recipient"],
    ],
    [[], ["age1x"], ['"attic"', "age1x", "--recipient", "--age-key"]],
  ])("is refused by name and key, and told what to do: %j for %j", (recipients, keys, words) => {
    const reason = recipientRefusal(recipients, { id: "k1", name: "attic", recipients: [...keys] });
    for (const word of words) expect(reason).toContain(word);
  });
});
