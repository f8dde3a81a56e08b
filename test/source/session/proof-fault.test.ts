import { expect, test } from "vitest";
import { proofFault } from "../../../src/source/session/proof-fault.ts";

const end = { pages: 3, entries: 9, digest: Buffer.alloc(32, 0xab) };
const proof = {
  ...{ type: "proof" as const, pages: 3, digest: "ab".repeat(32), problemCount: 0, problems: [] },
  ...{
    progress: { filesDone: 0, bytesDone: 0, currentFile: "" },
    filesUnchanged: 0,
    bytesUnchanged: 0,
    entriesChanged: 0,
  },
};
const problem = { path: "x", kind: "not-carried", message: "not carried" };

test("a proof holds for the stream whose digest and number of pages it names", () => {
  expect(proofFault(proof, end)).toBeUndefined();
  expect(proofFault({ ...proof, problemCount: 7, problems: [problem] }, end)).toBeUndefined();
});

test.each([
  ["before the end", proof, undefined, "before the source had ended"],
  ["of another digest", { ...proof, digest: "cd".repeat(32) }, end, "cdcd"],
  ["of fewer pages", { ...proof, pages: 2 }, end, "2 pages, expected 3"],
  ["that counts fewer problems than it lists", { ...proof, problems: [problem] }, end, "0 problems and lists 1"],
])("a proof %s is refused", (_, said, of, text) => {
  expect(proofFault(said, of)).toContain(text);
});
