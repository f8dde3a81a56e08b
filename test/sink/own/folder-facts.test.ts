import { describe, expect, test } from "vitest";
import { decodeFacts, encodeFacts } from "../../../src/sink/own/folder-facts.ts";

const SECRET = "0a".repeat(32);
const MARK = { bootId: "this boot", syncedBeforeMs: 5, doubts: [[0, 4] as const] };

describe("the facts of a sink's folder", () => {
  test.each([
    { secret: SECRET },
    { secret: SECRET, source: "b1".repeat(32) },
    { secret: SECRET, mark: MARK },
    { secret: SECRET, source: "b1".repeat(32), mark: MARK },
  ])("are read back as they were written: %j", (facts) => {
    expect(decodeFacts(Buffer.from(encodeFacts(facts)))).toEqual(facts);
  });

  test("keep their secret and source when their mark is none", () => {
    const text = JSON.stringify({ secret: SECRET, source: "b1", mark: { bootId: 7 } });
    expect(decodeFacts(Buffer.from(text))).toMatchObject({ secret: SECRET, source: "b1" });
    expect(decodeFacts(Buffer.from(text))?.mark).toBeUndefined();
  });

  test("are none without a secret", () => {
    expect(decodeFacts(Buffer.from(JSON.stringify({ source: "b1", mark: MARK })))).toBeUndefined();
  });
});
