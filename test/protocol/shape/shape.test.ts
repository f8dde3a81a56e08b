import fc from "fast-check";
import { expect, test } from "vitest";
import { schemaOf } from "../../../src/protocol/api/schema-of.ts";
import { limitOrderShape } from "../../../src/protocol/bandwidth/applied-limit.ts";
import { upMessageShape } from "../../../src/protocol/frame/report.ts";
import { labelShape, sessionNameShape } from "../../../src/protocol/messages/control.ts";
import { sessionSummaryShape } from "../../../src/protocol/messages/progress.ts";
import { ShapeFault } from "../../../src/protocol/shape/fault.ts";
import { shape } from "../../../src/protocol/shape/shapes.ts";
import { spoilt, valuesOf } from "./shape-values.ts";

/** What those of messages are made of. */
const everyKind = shape.variants("type", [
  shape.object({
    type: shape.literal("hello"),
    label: labelShape,
    session: sessionNameShape,
    limit: limitOrderShape.optional(),
    more: shape.unknown().optional(),
    expect: shape.list(labelShape).min(1).max(3).optional(),
  }),
  shape.object({
    type: shape.word(["receipt", "other"]),
    provenAt: shape.text().dateTime(),
    fidelity: shape.record(shape.word(["owner", "time"]), shape.int().min(1)),
    names: shape.record(shape.text().max(5), shape.number()),
    isLast: shape.flag().default(false),
  }),
]);

const MESSAGES = [
  ["one of every kind of shape", everyKind],
  ["how a session ended", sessionSummaryShape],
  ["what a sink says to its source", upMessageShape],
] as const;

test.each(MESSAGES)("a shape takes and refuses what the schema of the API does: %s", (_, messages) => {
  const schema = schemaOf<unknown>(messages);
  let taken = 0;
  let refused = 0;
  const check = (value: unknown): void => {
    const read = messages.read(value);
    const { success, data } = schema.safeParse(value);
    expect(read instanceof ShapeFault).toBe(!success);
    if (success) expect(read).toEqual(data);
    if (success) taken += 1;
    else refused += 1;
  };
  const values = valuesOf(messages).map((value): unknown => JSON.parse(JSON.stringify(value)));
  fc.assert(fc.property(values, check), { numRuns: 300 });
  fc.assert(fc.property(values.chain(spoilt), check), { numRuns: 900 });
  expect(Math.min(taken, refused)).toBeGreaterThan(50);
});

test("a fault says where it is, and what is wanted there", () => {
  const list = shape.object({ sinks: shape.list(shape.object({ name: shape.text().max(3) })) });
  expect(`${list.read({ sinks: [{ name: "one" }, { name: "four" }] })}`).toBe(
    'at "sinks.1.name": want at most 3 characters',
  );
  expect(`${list.read([])}`).toBe("want an object");
});

test("a field that is absent gets a value of its own, and one that nobody asked for is left out", () => {
  const counts = shape.object({ names: shape.list(shape.text()).default([]), of: shape.int().optional() });
  const [one, other] = [counts.accept({ more: 1 }), counts.accept({})];
  expect(one).toEqual({ names: [] });
  expect(one?.names).not.toBe(other?.names);
});
