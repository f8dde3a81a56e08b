import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  copyProgressSchema,
  problemSchema,
  sessionSummarySchema,
  sinkOutcomeSchema,
} from "../../src/protocol/messages/progress.ts";

const page = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8");
const source = readFileSync(new URL("../../src/protocol/messages/events.ts", import.meta.url), "utf8");
const examples = page.split(/^### /m).flatMap((section) => {
  const [, title = ""] = /^(\S+)/.exec(section) ?? [];
  const [, json] = /^```json\n(.*)\n```/m.exec(section) ?? [];
  return json === undefined ? [] : [{ title, json }];
});

test("docs/events.md has an example of every type of event in protocol/events.ts", () => {
  const types = new Set([...source.matchAll(/type: "([a-z]+)"/g)].map(([, type]) => type));
  const shown = new Set(examples.map(({ title }) => title));
  expect([...types].filter((type) => type !== undefined && !shown.has(type))).toEqual([]);
});

test("docs/events.md names every field of the events", () => {
  const fields = new Set([...source.matchAll(/readonly (\w+)\??:/g)].map(([, field]) => field ?? ""));
  for (const field of ["bytes", "type"]) fields.add(field);
  expect([...fields].filter((field) => !page.includes(`\`${field}\``) && !page.includes(`"${field}"`))).toEqual([]);
});

test.each([
  ["CopyProgress", copyProgressSchema],
  ["SinkOutcome", sinkOutcomeSchema],
  ["SessionSummary", sessionSummarySchema],
  ["Problem object", problemSchema],
] as const)("docs/events.md lists every field of %s", (title, schema) => {
  const section = page.split(/^### /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  for (const field of Object.keys(schema.shape)) expect(section).toContain(`\`${field}\``);
});

test.each(examples)(
  "the example of $title is one object with its time first, of the shape that travels",
  ({ title, json }) => {
    const event: Record<string, unknown> = JSON.parse(json);
    expect(Object.keys(event).slice(0, 2)).toEqual(["time", "type"]);
    expect(event["type"]).toBe(title);
    const known = {
      progress: copyProgressSchema,
      problem: problemSchema,
      outcome: sinkOutcomeSchema,
      summary: sessionSummarySchema,
    };
    for (const [field, schema] of Object.entries(known)) {
      if (field in event) expect(z.strictObject(schema.shape).safeParse(event[field]).error).toBeUndefined();
    }
  },
);
