import { describe, expect, test } from "vitest";
import { DIRECTORY_NAME_CHARS_MAX, PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import { decodeClientMessage } from "../../src/protocol/messages/control.ts";
import { directoryName } from "../../src/source/directory-name.ts";

const HELLO = {
  ...{ type: "hello", version: PROTOCOL_VERSION, role: "source", session: "default", label: "laptop" },
  ...{ labelAsked: false, key: "0".repeat(64), signature: "A".repeat(86), timeMs: 0 },
};

describe("what a source says of its directory", () => {
  test.each<[string, string | Buffer, string]>([
    ["its last name, and not where it is", "/home/anna/photos", "photos"],
    ["a name with spaces and of any script", "/srv/мои фото", "мои фото"],
    ["the root of all", "/", "/"],
    ["what turns text or takes a terminal, escaped", "/srv/a\u{202e}b\u{1b}[2J", "a\\u{202e}b\\x1b[2J"],
    ["bytes that are no text, escaped", Buffer.from([0x2f, 0x61, 0xff, 0x5c]), "a\\xff\\\\"],
    [
      "a long name, cut in its middle",
      `/srv/${"a".repeat(100)}${"b".repeat(100)}`,
      `${"a".repeat(63)}…${"b".repeat(63)}`,
    ],
  ])("is %s", (_, path, name) => {
    expect(directoryName(Buffer.from(path))).toBe(name);
  });

  test.each([
    Buffer.alloc(255, 0xff),
    Buffer.alloc(255, 0x0a),
    Buffer.from("\u{200b}".repeat(85)),
    Buffer.from("\u{1f4f7}".repeat(63)),
    Buffer.from(`${"\u{1f4f7}".repeat(15)}x${"\u{1f4f7}".repeat(40)}`),
  ])("fits into its message, whatever the name is: %#", (name) => {
    const directory = directoryName(Buffer.concat([Buffer.from("/srv/"), name]));
    expect(directory.length).toBeLessThanOrEqual(DIRECTORY_NAME_CHARS_MAX);
    expect(decodeClientMessage(JSON.stringify({ ...HELLO, directory }))).toMatchObject({ directory });
  });
});
