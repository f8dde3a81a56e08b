import { expect, test } from "vitest";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { proofFault } from "../../../src/source/session/proof-fault.ts";
import { receiptOf, SINK_KEY } from "../../helpers/copies/receipts.ts";

const end = { pages: 3, entries: 9, digest: Buffer.alloc(32, 0xab) };
const proof = {
  ...{ type: "proof" as const, pages: 3, digest: "ab".repeat(32), problemCount: 0, problems: [] },
  ...{
    progress: { filesDone: 0, bytesDone: 0, currentFile: "" },
    filesUnchanged: 0,
    bytesUnchanged: 0,
    bytesKept: 0,
    entriesChanged: 0,
    receipt: receiptOf(),
  },
};
const SCOPE = {
  epoch: 1,
  source: "a".repeat(64),
  sessionId: "abcdefghijkl",
  sink: { name: "alpha", key: SINK_KEY.publicKey },
};
const OTHER = new SigningKey("6".repeat(64));
const problem = { path: "x", kind: "not-carried", message: "not carried" };

test("a proof holds for the stream whose digest and number of pages it names", () => {
  expect(proofFault(proof, end, SCOPE)).toBeUndefined();
  const receipt = receiptOf({ problemCount: 7, outcome: "incomplete" });
  expect(proofFault({ ...proof, receipt, problemCount: 7, problems: [problem] }, end, SCOPE)).toBeUndefined();
});

const taken = { files: 2, bytes: 9, oldestProof: "2026-11-20T12:00:00.000Z" };
const deletion = { result: "done" as const, entries: 3, of: 8, examples: ["x"] };
const fidelity = [{ what: "owner" as const, count: 4, examples: ["x"] }];
const told = {
  ...{ ...proof, takenAsUnchanged: taken, deletion, fidelity, unsynced: true },
  progress: { filesDone: 5, bytesDone: 70, currentFile: "x" },
};
const signed = {
  outcome: "complete",
  filesDone: 5,
  bytesDone: 70,
  takenAsUnchanged: taken,
  fidelity: { owner: 4 },
  deletion: { result: "done", entries: 3 },
  durability: "none",
} as const;

test("a proof holds whose receipt says the same of the copy", () => {
  expect(proofFault({ ...told, receipt: receiptOf(signed) }, end, SCOPE)).toBeUndefined();
});

test.each([
  ["a better outcome", { outcome: "proven" }],
  ["a worse outcome", { outcome: "incomplete" }],
  ["more files", { filesDone: 6 }],
  ["more bytes", { bytesDone: 71 }],
  ["fewer files that were taken as unchanged", { takenAsUnchanged: { ...taken, files: 1 } }],
  ["a later proof of these", { takenAsUnchanged: { ...taken, oldestProof: "2026-11-28T12:00:00.000Z" } }],
  ["none that were taken as unchanged", { takenAsUnchanged: undefined }],
  ["another end of the deletion", { deletion: { result: "refused", entries: 3 } }],
  ["fewer deletions", { deletion: { result: "done", entries: 2 } }],
  ["no deletion", { deletion: undefined }],
  ["more that was carried exactly", { fidelity: {} }],
  ["a copy that is on the disk", { durability: "session" }],
] as const)("a proof whose receipt says %s is refused", (_, change) => {
  const receipt = receiptOf({ ...signed, ...change });
  expect(proofFault({ ...told, receipt }, end, SCOPE)).toContain("something else");
});

test.each([
  ["before the end", proof, undefined, "before the source had ended"],
  ["of another digest", { ...proof, digest: "cd".repeat(32) }, end, "cdcd"],
  ["of fewer pages", { ...proof, pages: 2 }, end, "2 pages, expected 3"],
  ["that counts fewer problems than it lists", { ...proof, problems: [problem] }, end, "0 problems and lists 1"],
  [
    "with a receipt of another tree",
    { ...proof, receipt: receiptOf({ digest: "cd".repeat(32) }) },
    end,
    "something else",
  ],
  [
    "with a receipt of another session",
    { ...proof, receipt: receiptOf({ sessionId: "z".repeat(12) }) },
    end,
    "something",
  ],
  ["with the receipt of a better copy", { ...proof, receipt: receiptOf(), problemCount: 1 }, end, "something else"],
  ["with the receipt of another name", { ...proof, receipt: receiptOf({ name: "beta" }) }, end, "of another sink"],
  ["that another key has signed", { ...proof, receipt: receiptOf({}, OTHER) }, end, "of another sink"],
  ["with a receipt of another epoch", { ...proof, receipt: receiptOf({ epoch: 2 }) }, end, "something else"],
  ["with a receipt of another source", { ...proof, receipt: receiptOf({ source: "b".repeat(64) }) }, end, "something"],
  ["with no receipt", { ...proof, receipt: "receipt" }, end, "cannot take a receipt"],
])("a proof %s is refused", (_, said, of, text) => {
  expect(proofFault(said, of, SCOPE)).toContain(text);
});
