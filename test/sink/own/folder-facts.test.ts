import { describe, expect, test } from "vitest";
import { decodeFacts, encodeFacts } from "../../../src/sink/own/folder-facts.ts";

const SEED = "0a".repeat(32);
const MARK = { bootId: "this boot", syncedBeforeMs: 5, doubts: [[0, 4] as const] };

describe("the facts of a sink's folder", () => {
  test.each([
    { seed: SEED },
    { seed: SEED, source: "b1".repeat(32) },
    { seed: SEED, mark: MARK },
    { seed: SEED, snapshots: true, commandFailed: true, forRecipients: true, verifiedMs: 7 },
    { seed: SEED, source: "b1".repeat(32), mark: MARK },
  ])("are read back as they were written: %j", (facts) => {
    expect(decodeFacts(Buffer.from(encodeFacts(facts)))).toEqual(facts);
  });

  test("keep their key and source when their mark is none", () => {
    const text = JSON.stringify({ seed: SEED, source: "b1", mark: { bootId: 7 } });
    expect(decodeFacts(Buffer.from(text))).toMatchObject({ seed: SEED, source: "b1" });
    expect(decodeFacts(Buffer.from(text))?.mark).toBeUndefined();
  });

  test("of version 0.1 keep their source, and have no key yet", () => {
    const text = JSON.stringify({ secret: SEED, source: "b1", mark: MARK });
    expect(decodeFacts(Buffer.from(text))).toEqual({ source: "b1", mark: MARK });
  });

  test("are none without a key", () => {
    expect(decodeFacts(Buffer.from(JSON.stringify({ source: "b1", mark: MARK })))).toBeUndefined();
  });
});
