import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeJws } from "../../../src/lib/crypto/jws.ts";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { RECEIPT_CHARS_MAX, readReceipt, signReceipt } from "../../../src/protocol/messages/receipt.ts";
import { receiptOf, SINK_KEY } from "../../helpers/copies/receipts.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const section = page.slice(page.indexOf("## P-13 Receipts"));
const shown = (/```text\n([\s\S]*?)```/.exec(section)?.[1] ?? "").replaceAll("\n", "");

/** Written by hand after RFC 7515 and RFC 8037: it shares no code with what makes receipts. */
function isSignedBy(text: string, publicKey: string): boolean {
  const [head = "", body = "", signature = ""] = text.split(".");
  const x = Buffer.from(publicKey, "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
}

describe("a receipt", () => {
  test("of docs/protocol.md is what that sink signs of that copy", () => {
    expect(shown).toBe(receiptOf({ filesDone: 1, bytesDone: 6 }));
    expect(isSignedBy(shown, "c6822637c7d310ec57627be00ba259d253749f4aaf644470cffbe53a35f73242")).toBe(true);
    expect(readReceipt(shown)).toMatchObject({
      name: "alpha",
      outcome: "proven",
      bytesDone: 6,
      sink: SINK_KEY.publicKey,
    });
  });

  test("fits with the longest name and all that it can say", () => {
    const fidelity = Object.fromEntries(["owner", "setuid", "permissions", "time"].map((kind) => [kind, 2 ** 40]));
    const taken = { files: 2 ** 40, bytes: 2 ** 50, oldestProof: "2026-11-28T12:00:00.000Z" };
    const text = receiptOf({ name: "ü".repeat(256), session: "s".repeat(64), fidelity, takenAsUnchanged: taken });
    expect(text.length).toBeLessThan(RECEIPT_CHARS_MAX);
    expect(readReceipt(text)).toMatchObject({ fidelity, takenAsUnchanged: taken });
  });

  const [head = "", body = "", signature = ""] = shown.split(".");
  const other = new SigningKey("6".repeat(64));
  const payload = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const lie = (change: object): string => Buffer.from(JSON.stringify({ ...payload, ...change })).toString("base64url");
  test.each([
    ["nothing", ""],
    ["something else", "receipt"],
    ["a longer text than any", "a".repeat(RECEIPT_CHARS_MAX + 1)],
    ["a cut signature", `${head}.${body}.${signature.slice(2)}`],
    ["another payload", `${head}.${lie({ bytesDone: 7 })}.${signature}`],
    ["another sink's name on it", `${head}.${lie({ sink: other.publicKey })}.${signature}`],
    [
      "what another sink signed for this one",
      encodeJws({ header: { alg: "EdDSA", typ: "fanfold-receipt" }, payload }, other.signer),
    ],
    ["no algorithm", encodeJws({ header: { alg: "none", typ: "fanfold-receipt" }, payload }, () => Buffer.alloc(0))],
    ["another kind of document", encodeJws({ header: { alg: "EdDSA", typ: "JWT" }, payload }, SINK_KEY.signer)],
    [
      "a count that is none",
      encodeJws(
        { header: { alg: "EdDSA", typ: "fanfold-receipt" }, payload: { ...payload, bytesDone: -1 } },
        SINK_KEY.signer,
      ),
    ],
  ])("is not %s", (_what, text) => {
    expect(thrownCode(() => readReceipt(text))).toBe("receipt-invalid");
  });

  test("names the sink that signs it, whatever it is told", () => {
    const { sink: _, ...facts } = readReceipt(shown);
    expect(readReceipt(signReceipt(facts, other)).sink).toBe(other.publicKey);
  });
});
