import { expect, test } from "vitest";
import { FanfoldError } from "../../../src/lib/errors.ts";
import {
  type CopyProgress,
  copyProgressShape,
  type SessionSummary,
  sessionSummaryShape,
} from "../../../src/protocol/messages/progress.ts";
import {
  errorWithoutNames,
  progressWithoutNames,
  summaryWithoutNames,
} from "../../../src/protocol/messages/without-names.ts";
import { ListShape, ObjectShape, RecordShape } from "../../../src/protocol/shape/compound.ts";
import { FlagShape, NumberShape, TextShape, WordShape } from "../../../src/protocol/shape/plain.ts";
import { DefaultShape, OptionalShape, type Shape } from "../../../src/protocol/shape/shape.ts";

/** A name that each free text of a message could hold. */
const NAME = "canary";

/** A value with all fields that it can have, and that name wherever a text is free. */
function filled(shape: Shape<unknown>): unknown {
  if (shape instanceof OptionalShape || shape instanceof DefaultShape) return filled(shape.inner);
  if (shape instanceof TextShape) return textOf(shape);
  if (shape instanceof WordShape) return shape.words[0];
  if (shape instanceof NumberShape) return 1;
  if (shape instanceof FlagShape) return true;
  if (shape instanceof ListShape) return [filled(shape.item)];
  if (shape instanceof RecordShape) return { [String(filled(shape.name))]: filled(shape.value) };
  if (shape instanceof ObjectShape)
    return Object.fromEntries(
      Object.entries(shape.fields).map(([name, field]) => [name, filled(field as Shape<unknown>)]),
    );
  throw new Error(`want a value of ${shape.constructor.name}`);
}

/** Only a text without a form of its own can hold a name. */
function textOf(shape: TextShape): string {
  const [text = NAME] = [NAME, "2026-11-29T10:00:00.000Z", "2026-11-29T10-00-00Z"].filter(
    (each) => shape.accept(each) === each,
  );
  return text;
}

/** Where the name still stands. */
function placesIn(value: unknown, place = ""): string[] {
  if (typeof value === "string") return value.includes(NAME) ? [place] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name.includes(NAME) ? [`${place}{}`] : []),
    ...placesIn(inner, Array.isArray(value) ? `${place}[]` : `${place}.${name}`),
  ]);
}

test("of all texts of a summary only names of members, kinds, codes, digests and receipts go to the coordinator", () => {
  const summary = sessionSummaryShape.accept(filled(sessionSummaryShape)) as SessionSummary;
  expect(placesIn(summary)).toEqual(
    expect.arrayContaining([
      ".problems[].path",
      ".sinks[].problems[].path",
      ".sinks[].message",
      ".sinks[].deletion.examples[]",
    ]),
  );
  expect(placesIn(summaryWithoutNames(summary)).sort()).toEqual(
    [
      // Of the deletion one of two sentences.
      ...[".deletionWithheld.message", ".digest", ".heldBack.sink", ".missing[]", ".notCarried{}"],
      ...[
        ".sinks[].code",
        ".sinks[].digest",
        ".sinks[].message",
        ".sinks[].name",
        ".sinks[].receipt",
        ".sinks[].sinkId",
      ],
    ].sort(),
  );
  // The code alone.
  expect(summaryWithoutNames(summary).sinks[0]?.message).toBe(
    `"${NAME}"; its own output says more: only its recipients may read names`,
  );
});

test("of the progress no text goes there, and all counts do", () => {
  const progress = copyProgressShape.accept(filled(copyProgressShape)) as CopyProgress;
  expect(placesIn(progress)).toContain(".currentFile");
  const told = progressWithoutNames(progress);
  expect(placesIn(told)).toEqual([".heldBack.sink"]);
  expect(told).toEqual({ ...progress, currentFile: "" });
});

test("of an error the code goes there, and its text only where that names no file", () => {
  const text = `cannot write "${NAME}"`;
  const { code, message } = errorWithoutNames(new FanfoldError("disk-full", text, { cause: new Error(text) }));
  expect([code, placesIn({ message })]).toEqual(["disk-full", []]);
  for (const plain of ["not-recipient", "interrupted"] as const)
    expect(errorWithoutNames(new FanfoldError(plain, "it has the key age1…")).message).toBe("it has the key age1…");
});
