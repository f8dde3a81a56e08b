import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import { decodeClientMessage, decodeCoordinatorMessage } from "../../src/protocol/messages/control.ts";

const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
const source = readFileSync(new URL("../../src/protocol/messages/control.ts", import.meta.url), "utf8");
const shown = [...page.matchAll(/`(\{"type":"(?:hello|welcome)",.*?\})`/g)].map(([, json = ""]) => json);

test("docs/protocol.md says in all places which version it is of", () => {
  const said = [
    ...page.matchAll(/^# The fanfold protocol, version (\d+)$/gm),
    ...page.matchAll(/protocol version: (\d+)/g),
    ...page.matchAll(/^\| `version` \| integer ≥ 0 \|(?: version of the protocol:)? (\d+) \|$/gm),
    ...page.matchAll(/"version":(\d+)/g),
    ...page.matchAll(/magic, version (\d+)/g),
  ].map(([, version]) => Number(version));
  expect(said).toEqual(Array.from({ length: 10 }, () => PROTOCOL_VERSION));
});

test("the `hello` and the `welcome` of docs/protocol.md decode, when what was cut is filled in", () => {
  const [hello = "", welcome = ""] = shown.filter((json) => !json.includes(",…"));
  const proof = { key: "51c0".padEnd(64, "0"), signature: "Zm9v".padEnd(86, "A") };
  const whole = hello.replace("51c0…", proof.key).replace("Zm9v…", proof.signature);
  expect(decodeClientMessage(whole)).toEqual({ ...JSON.parse(hello), ...proof });
  const transport = { kind: "embedded", ticket: "9b1e".padEnd(32, "0") };
  expect(decodeCoordinatorMessage(welcome.replace("9b1e…", transport.ticket))).toEqual({
    ...JSON.parse(welcome),
    transport,
  });
});

test.each(["hello", "welcome", "start", "ended"])(
  "docs/protocol.md has a row for every field of `%s`, and no other",
  (type) => {
    const [, schema = ""] = source.split(`type: shape.literal("${type}"),\n`);
    const fields = [...schema.slice(0, schema.indexOf("\n  }),")).matchAll(/^ {4}(\w+)[,:]/gm)].map(
      ([, field]) => field,
    );
    const [, section = ""] = page.split(`\n**${type}** (`);
    const [table = ""] = section.slice(section.indexOf("| field |")).split("\n\n");
    const rows = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) => cell.match(/\w+/g) ?? []);
    expect(rows.sort()).toEqual(["type", ...fields].sort());
  },
);
