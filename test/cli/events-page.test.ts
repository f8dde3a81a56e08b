import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  copyProgressShape,
  problemShape,
  sessionSummaryShape,
  sinkOutcomeShape,
} from "../../src/protocol/messages/progress.ts";

const page = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8");
const SOURCES = [
  "events",
  "coordinator-events",
  "verify-events",
  "fleet-verify-events",
  "verification",
  "session-view",
  "sink-line",
];
const source = SOURCES.map((name) =>
  readFileSync(new URL(`../../src/protocol/messages/${name}.ts`, import.meta.url), "utf8"),
).join("\n");
const examples = page.split(/^### /m).flatMap((section) => {
  const [, title = ""] = /^(\S+)/.exec(section) ?? [];
  const [, json] = /^```json\n(.*)\n```/m.exec(section) ?? [];
  return json === undefined ? [] : [{ title, json }];
});

test("docs/events.md has an example of every type of event", () => {
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
  ["CopyProgress", copyProgressShape],
  ["SinkOutcome", sinkOutcomeShape],
  ["SessionSummary", sessionSummaryShape],
  ["Problem object", problemShape],
] as const)("docs/events.md lists every field of %s", (title, shape) => {
  const section = page.split(/^### /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
  for (const field of Object.keys(shape.fields)) expect(section).toContain(`\`${field}\``);
});

test.each(examples)(
  "the example of $title is one object with its time first, of the shape that travels",
  ({ title, json }) => {
    const event: Record<string, unknown> = JSON.parse(json);
    expect(Object.keys(event).slice(0, 2)).toEqual(["time", "type"]);
    expect(event["type"]).toBe(title);
    const known = {
      progress: copyProgressShape,
      problem: problemShape,
      outcome: sinkOutcomeShape,
      summary: sessionSummaryShape,
    };
    for (const [field, shape] of Object.entries(known)) {
      if (field in event) expect(shape.read(event[field])).toMatchObject(Object(event[field]));
    }
  },
);
