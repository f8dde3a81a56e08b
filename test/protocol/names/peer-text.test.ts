import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeText } from "../../../src/lib/escape-name.ts";
import { withSafeText } from "../../../src/protocol/names/peer-text.ts";

test("withSafeText() replaces what a terminal would obey, in every place of a message", () => {
  const message = {
    type: "leave",
    reason: "\u001b[2Jgone\n",
    list: [{ a: "\u202ex" }, 3, null, true],
    "k\u0007": "ä 1",
  };
  expect(withSafeText(message)).toEqual({
    type: "leave",
    reason: "\ufffd[2Jgone\ufffd",
    list: [{ a: "\ufffdx" }, 3, null, true],
    "k\ufffd": "ä 1",
  });
});

test("withSafeText() changes nothing that was escaped, and never makes a text longer", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(withSafeText(escapeText(text))).toBe(escapeText(text));
      expect(withSafeText(text).length).toBeLessThanOrEqual(text.length);
      expect(escapeText(withSafeText(text)).replaceAll("\\\\", "\\")).toBe(withSafeText(text));
    }),
  );
});
