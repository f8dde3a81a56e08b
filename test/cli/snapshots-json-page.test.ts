import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SnapshotRecord } from "../../src/cli/view/snapshots/snapshot-records.ts";
import { ENTRY_KINDS } from "../../src/protocol/frame/page.ts";
import { takenShape } from "../../src/protocol/messages/taken.ts";
import type { SnapshotFacts } from "../../src/sink/snapshots/snapshot-facts.ts";

interface Field {
  readonly type: string;
  readonly isOptional: boolean;
  /** Words that it may be. */
  readonly words: readonly string[];
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/snapshots-json.md");
const records = read("src/cli/view/snapshots/snapshot-records.ts");
const verify = read("src/protocol/messages/verify-events.ts");
/** Where each command says what it prints. */
const UNIONS = { diff: "DiffRecord", restore: "RestoreRecord", prune: "PruneRecord", verify: "VerifyEvent" };
const LISTS = new Set(["FidelityReport"]);

const literals = (text: string) => [...text.matchAll(/"([^"]+)"/g)].map(([, word = ""]) => word);

/** Words of the types that have a name. */
const named = new Map<string, readonly string[]>([["EntryKind", Object.keys(ENTRY_KINDS)]]);
for (const text of [verify, read("src/sink/snapshots/snapshot-diff.ts")])
  for (const [, name = "", body = ""] of text.matchAll(/type (\w+Kind) =([^;]+);/g)) named.set(name, literals(body));

function fieldOf(optional: string, type: string): Field {
  const plain = type.replace(/ \| undefined$/, "").replace(/^readonly (\w+)\[\]$/, "list $1");
  const words = literals(plain).length > 0 ? literals(plain) : (named.get(plain.replace("list ", "")) ?? []);
  return { type: typeOf(plain), isOptional: optional === "?", words };
}

function typeOf(type: string): string {
  const simple = { string: "text", number: "number", boolean: "flag", 'number | "all"': "number or `all`" }[type];
  if (simple !== undefined) return simple;
  if (type.startsWith("list ") || type.startsWith("readonly (") || LISTS.has(type)) return "list";
  return named.has(type) || /^"[^"]*"( \| "[^"]*")*$/.test(type) ? "word" : "object";
}

function fieldsIn(body: string): Map<string, Field> {
  const lines = body.matchAll(/^ +(?:readonly )?(\w+)(\??): ([^;]+);$/gm);
  return new Map([...lines].map(([, name = "", optional = "", type = ""]) => [name, fieldOf(optional, type)]));
}

/** What the code prints: by command and word for lines of several types, else by the name of the object. */
const printed = new Map<string, ReadonlyMap<string, Field>>();
for (const text of [records, verify]) {
  for (const [, name = "", body = ""] of text.matchAll(/interface (\w+) \{\n([\s\S]*?)\n\}/g))
    printed.set(name, fieldsIn(body));
  for (const [command, union] of Object.entries(UNIONS)) {
    const [, members = ""] = new RegExp(`type ${union} =\n([\\s\\S]*?\\});\n`).exec(text) ?? [];
    for (const [, body = ""] of members.matchAll(/\| \{\n([\s\S]*?)\n {4}\}/g)) {
      const fields = fieldsIn(body);
      printed.set(`${command} ${fields.get("type")?.words[0]}`, fields);
    }
  }
}
const taken = Object.entries(takenShape.fields).map(([name]) => [
  name,
  fieldOf("", name === "oldestProof" ? "string" : "number"),
]);
printed.set("TakenAsUnchanged", new Map(taken as [string, Field][]));

interface Row {
  readonly type: string;
  readonly isOptional: boolean;
  readonly unit: string;
  readonly meaning: string;
}

const documented = new Map<string, ReadonlyMap<string, Row>>();
for (const part of page.split(/^## fanfold /m).slice(1)) {
  const [command = ""] = part.split("\n");
  for (const section of part.split(/^### /m).slice(1)) {
    const [title = ""] = section.split(/\s/);
    const rows = [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \| ([^|]*)\| ([^|]+) \|$/gm)];
    const fields = rows.map(([, name = "", type = "", unit = "", meaning = ""]): [string, Row] => [
      name,
      { type: type.replace(", optional", ""), isOptional: type.endsWith(", optional"), unit: unit.trim(), meaning },
    ]);
    documented.set(/^[A-Z]/.test(title) ? title : `${command} ${title}`, new Map(fields));
  }
}

test("docs/snapshots-json.md has a section for all that the commands print, and for nothing else", () => {
  expect([...documented.keys()].sort()).toEqual([...printed.keys()].sort());
  expect(documented.size).toBeGreaterThan(25);
});

test.each([...printed])("docs/snapshots-json.md says what the fields of %s are", (name, fields) => {
  const rows = documented.get(name) ?? new Map<string, Row>();
  const kinds = (all: ReadonlyMap<string, Field | Row>) =>
    [...all].map(([field, { type, isOptional }]) => `${field}: ${type}${isOptional ? ", optional" : ""}`);
  expect(kinds(rows)).toEqual(kinds(fields));
  for (const [field, { words }] of fields)
    for (const word of words) expect(`${rows.get(field)?.type} ${rows.get(field)?.meaning}`, field).toContain(word);
  for (const [field, { type, unit }] of rows)
    expect([field, unit], "a number has a unit").not.toEqual([field, type === "number" ? "" : undefined]);
});

test("what is known of a snapshot is all printed", () => {
  type Unprinted = Exclude<keyof SnapshotFacts, keyof SnapshotRecord | "version">;
  const nothing: [Unprinted] extends [never] ? true : Unprinted = true;
  expect(nothing).toBe(true);
});
